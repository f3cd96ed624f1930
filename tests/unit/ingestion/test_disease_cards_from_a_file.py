"""Forty constructed disease cards of people who do not exist, from a file to what may be stored of them."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from ingestion import unit_history, units
from ingestion.cards.batch import BatchReader
from ingestion.cards.hashing import Hasher
from ingestion.cards.ledger import Ledger
from ingestion.findings import Finding
from ingestion.forms_catalogue import Catalogue
from ingestion.placing import Lane
from ingestion.reading import SourceContext, UnreadCards, read_file
from ingestion.rule_tests import asked_of_batches

Grid = Callable[..., Path]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_HEADER = [
    "卡片编号",
    "报卡类别",
    "姓名",
    "家长姓名",
    "身份证号",
    "性别",
    "出生日期",
    "实足年龄",
    "工作单位（学校）",
    "联系电话",
    "病人属于",
    "现住地址国标",
    "现住详细地址",
    "职业",
    "病例分类",
    "发病日期",
    "诊断时间",
    "死亡日期",
    "疾病名称",
    "报告单位",
    "填卡医生",
    "填卡日期",
    "录入时间",
]
_DISEASES = ("手足口病", "肺结核", "乙型肝炎", "流行性感冒", "登革热")
CARDS = 40


def citizen_number(serial: int, born: dt.date, *, male: bool) -> str:
    """A number with a right check digit that nobody has: there is no county 449999."""
    body = f"449999{born:%Y%m%d}{serial % 100:02d}{1 if male else 2}"
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True)) % 11]


def _card(serial: int) -> dict[str, str]:
    luck = random.Random(serial)  # noqa: S311 - the same made-up people each time
    born = dt.date(1930, 1, 1) + dt.timedelta(days=luck.randrange(85 * 365))
    male = serial % 2 == 0
    onset = dt.datetime(2015, 5, 1, 8) + dt.timedelta(days=serial % 28)  # noqa: DTZ001 - local time of the form
    pupil = 2015 - born.year in range(6, 18)
    return {
        "卡片编号": f"44050700120150{serial:04d}",
        "报卡类别": "初次报告",
        "姓名": f"构造人{serial:02d}",
        "身份证号": citizen_number(serial, born, male=male),
        "性别": "男" if male else "女",
        "出生日期": f"{born:%Y-%m-%d}",
        "工作单位（学校）": "构造学校" if pupil else "",
        "联系电话": f"199{serial:08d}",
        "病人属于": "本县区",
        "现住地址国标": f"4405070{1 + serial % 5:02d}",
        "现住详细地址": f"构造路{serial}号",
        "职业": "学生" if pupil else "农民",
        "病例分类": "确诊病例",
        "发病日期": f"{onset:%Y-%m-%d}",
        "诊断时间": f"{onset + dt.timedelta(days=1):%Y-%m-%d %H:%M}",
        "疾病名称": _DISEASES[serial % len(_DISEASES)],
        "报告单位": "构造医院",
        "填卡医生": "构造医生",
        "填卡日期": f"{onset + dt.timedelta(days=1):%Y-%m-%d}",
        "录入时间": f"{onset + dt.timedelta(days=1, hours=5):%Y-%m-%d %H:%M:%S}",
    }


@dataclass
class Taken:
    """What a file of cards became."""

    records: pl.DataFrame
    findings: list[Finding]


@pytest.fixture
def take(tmp_path: Path, catalogue: Catalogue, grid: Grid) -> Callable[..., Taken]:
    """Write cards in a format, recognise the file and read its cards, seven at a time."""
    text = {"is_open": pl.Boolean, **dict.fromkeys(unit_history.ATTRIBUTES, pl.String)}
    versions = pl.DataFrame(
        schema={
            "organization_key": pl.Int32,
            "organization_code": pl.String,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
            **text,
            **dict.fromkeys(unit_history.FLAGS, pl.Boolean),
        }
    )
    duties = pl.DataFrame(
        schema={
            "form_code": pl.String,
            "subject_type": pl.String,
            "subject_code": pl.String,
            "duty_reporter": pl.Int32,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
        }
    )
    source = SourceContext("cdc", "440507")
    lane = Lane(catalogue, source, versions, units.identifiers(versions), duties, ())

    def _take(cards: list[dict[str, str]], file_format: str = "csv") -> Taken:
        rows = [[card.get(name, "") for name in _HEADER] for card in cards]
        title = ["中华人民共和国传染病报告卡（构造）", *[""] * (len(_HEADER) - 1)]
        path = grid(tmp_path / "cards", [title, _HEADER, *rows], file_format)
        (unread,) = read_file(path, catalogue=catalogue, source=source)
        assert isinstance(unread, UnreadCards)
        assert unread.form.code == "idr_card"
        assert unread.table is not None
        assert unread.found is not None
        ledger = Ledger(100)
        reader = BatchReader(
            unread.found,
            unread.table.sheet,
            lane,
            ledger,
            Hasher(b"a key of the test" * 2),
            file_name="cards",
            received_on=dt.date(2015, 7, 1),
            asked=asked_of_batches(unread.form),
        )
        first, batches = unread.found.header_row + 1, []
        for frame in unread.table.batches(first, 7):
            batches.append(reader.read(frame, first + 1).records)
            first += frame.height
        return Taken(pl.concat(batches), ledger.findings)

    return _take


@pytest.mark.parametrize("file_format", ["csv", "csv-gb18030", "tsv", "xlsx"])
def test_all_cards_count_and_say_what_they_say_in_every_format(
    file_format: str, take: Callable[..., Taken]
) -> None:
    cards = [_card(serial) for serial in range(CARDS)]
    taken = take(cards, file_format)
    records = taken.records
    assert taken.findings == []
    assert records.height == CARDS
    assert records["set_aside"].null_count() == CARDS
    assert records["record_no"].to_list() == list(range(1, CARDS + 1))
    assert records["card_no"].to_list() == [card["卡片编号"] for card in cards]
    codes = {"手足口病": "4000", "肺结核": "2600", "乙型肝炎": "0302", "流行性感冒": "3500", "登革热": "2400"}
    assert Counter(records["disease_code"]) == Counter(codes[card["疾病名称"]] for card in cards)
    assert [f"{when:%Y-%m-%d %H:%M}" for when in records["diagnosis_time"]] == [c["诊断时间"] for c in cards]
    assert records["sex"].to_list() == ["1", "2"] * (CARDS // 2)


def test_persons_are_told_apart_without_being_named(take: Callable[..., Taken]) -> None:
    cards = [_card(serial) for serial in range(CARDS)]
    again = _card(7) | {"卡片编号": "99", "姓名": "构造人　０７", "身份证号": _card(7)["身份证号"].lower()}
    records = take([*cards, again]).records
    keys = records["patient_key"].to_list()
    assert len(set(keys)) == CARDS
    assert keys[-1] == keys[7]
    assert all(len(key) == 32 for key in keys)
    assert records["patient_township"].to_list() == [card["现住地址国标"] for card in [*cards, again]]
    for card, band, when in zip(cards, records["patient_age_band"], records["diagnosis_time"], strict=False):
        born = dt.date.fromisoformat(card["出生日期"])
        age = when.year - born.year - ((when.month, when.day) < (born.month, born.day))
        assert band == _band(age), (age, band)


def _band(age: int) -> str:
    if age < 5 or age >= 85:
        return "<1" if age < 1 else "1-4" if age < 5 else "85+"
    return f"{age // 5 * 5}-{age // 5 * 5 + 4}"


def test_nothing_stored_or_told_says_who_a_patient_is(take: Callable[..., Taken]) -> None:
    cards = [_card(serial) for serial in range(CARDS)]
    cards[3] |= {"出生日期": "不详", "身份证号": cards[3]["身份证号"][:-1] + "#"}
    cards[4] |= {"报告单位": cards[4]["姓名"], "卡片编号": cards[4]["联系电话"]}
    cards[5] |= {"疾病名称": cards[5]["现住详细地址"], "现住地址国标": cards[5]["身份证号"]}
    taken = take(cards)
    told = [text for one in taken.findings for text in (one.message_zh, one.message_en, one.value or "")]
    stored = "\n".join([taken.records.write_csv(), *told])
    assert taken.findings
    for card in cards:
        for secret in ("姓名", "身份证号", "联系电话", "现住详细地址"):
            assert card[secret] not in stored


def test_a_faulty_card_is_set_aside_alone(take: Callable[..., Taken]) -> None:
    cards = [_card(serial) for serial in range(CARDS)]
    cards[10] |= {"疾病名称": "猴痘"}
    cards[11] |= {"职业": "学生", "工作单位（学校）": ""}
    cards[12] |= {"诊断时间": "2015-13-45"}
    cards[13] |= {"录入时间": "2015-06-28 08:00"}
    taken = take(cards)
    aside = dict(
        taken.records.filter(pl.col("set_aside").is_not_null()).select("record_no", "set_aside").rows()
    )
    assert set(aside) == {11, 12, 13}
    assert aside[11] == "ID07"
    assert aside[12] == "ID05"
    assert {f.rule_id for f in taken.findings if f.record_no == 11} == {"ID07"}
    (late,) = [f for f in taken.findings if f.rule_id == "ID03"]
    assert (late.severity, late.record_no) == ("soft", 14)
    assert str(late.cell).endswith("16")


def test_the_same_card_twice_counts_once(take: Callable[..., Taken]) -> None:
    cards = [_card(serial) for serial in range(CARDS)]
    taken = take([*cards, cards[20], cards[21] | {"疾病名称": "麻疹"}])
    aside = taken.records.filter(pl.col("set_aside").is_not_null())
    assert set(aside["record_no"]) <= {CARDS + 1, CARDS + 2}
    assert CARDS + 2 in set(aside["record_no"])
    assert {f.rule_id for f in taken.findings} == {"CARD_TWICE"}
