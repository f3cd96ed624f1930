"""A file read in batches says what it says when it is read at once."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from ingestion import directory, units
from ingestion.cards.batch import BatchReader
from ingestion.cards.hashing import Hasher
from ingestion.cards.ledger import Ledger
from ingestion.forms_catalogue import load_forms
from ingestion.placing import Lane
from ingestion.reading import SourceContext, UnreadCards, read_file
from ingestion.rule_tests import asked_of_batches

HEADER = "机构编码,病案号,姓名,身份证号,性别,出生日期,入院时间,出院时间,实际住院天数,出院主要诊断编码,离院方式,总费用"


def rows() -> Iterator[str]:
    for n in range(60):
        unit = ("T-1", "T-2", "甲医院", "T-8")[n % 4]
        left = dt.date(2015, 1, 20) + dt.timedelta(days=n % 25)
        came = left - dt.timedelta(days=3)
        diagnosis = "" if n % 11 == 0 else "J18.900"
        sex = "坏" if n % 7 == 0 else "男"
        person = f"m{n},构造人{n},,{sex},1980-05-{n % 28 + 1:02}"
        yield f"{unit},{person},{came} 09:00,{left} 09:00,3,{diagnosis},医嘱离院,{100 + n}"
    yield "T-1,合计,,,,,,,,,,"


@pytest.fixture(scope="module")
def unread(tmp_path_factory: pytest.TempPathFactory) -> UnreadCards:
    path = tmp_path_factory.mktemp("cards") / "病案首页.csv"
    path.write_text("\n".join([HEADER, *rows()]) + "\n", encoding="utf-8")
    (reading,) = read_file(path, catalogue=load_forms())
    assert isinstance(reading, UnreadCards)
    return reading


def lane(unread: UnreadCards) -> Lane:
    spell = {"valid_from": dt.date(2000, 1, 1), "valid_to": dt.date(9999, 12, 31), "is_open": True}
    versions = pl.DataFrame(
        [
            {
                "organization_key": 1,
                "organization_code": "T-1",
                "name_zh": "甲医院",
                "region_code": "440507",
                **spell,
            },
            {
                "organization_key": 2,
                "organization_code": "T-2",
                "name_zh": "乙医院",
                "region_code": "440507",
                **spell,
            },
        ],
        schema_overrides={"organization_key": pl.Int32},
    )
    missing = [name for name in directory.ATTRIBUTES if name not in versions.columns]
    versions = versions.with_columns(pl.lit(None, pl.String).alias(name) for name in missing)
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
    catalogue = {unread.form.code: unread.form}
    return Lane(catalogue, SourceContext("cdc"), versions, units.identifiers(versions), duties, ())


def read(unread: UnreadCards, size: int) -> tuple[Ledger, pl.DataFrame]:
    assert unread.table is not None
    assert unread.found is not None
    ledger = Ledger(cap=3)
    reader = BatchReader(
        unread.found,
        "",
        lane(unread),
        ledger,
        Hasher(b"key"),
        file_name="病案首页.csv",
        received_on=dt.date(2016, 1, 1),
        asked=asked_of_batches(unread.form),
    )
    records = [reader.read(frame, first_row).records for frame, first_row in unread.batches(size)]
    return ledger, pl.concat(records, how="diagonal_relaxed").sort("source_row")


def written(folder: Path, name: str, *lines: str) -> tuple[Ledger, pl.DataFrame]:
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (unread,) = read_file(path, catalogue=load_forms())
    assert isinstance(unread, UnreadCards)
    return read(unread, 1000)


def test_words_in_place_of_a_code_are_not_stored_and_a_code_with_a_slip_is(tmp_path):
    line = "T-1,m{},构造人,,男,1980-05-01,2015-01-01 09:00,2015-01-04 09:00,3,{},医嘱离院,100"
    codes = ["J18.900", "J18900", "张构造的肺炎", "Zhang San"]
    ledger, records = written(
        tmp_path, "病案首页", HEADER, *(line.format(n, code) for n, code in enumerate(codes))
    )
    assert records["main_diagnosis"].to_list() == ["J18.900", "J18900", None, None]
    assert sum(finding.rule_id == "VALUE_STRUCTURE" for finding in ledger.findings) == 3


def test_a_year_may_be_written_with_its_word_in_a_register(tmp_path):
    lines = [
        "机构编码,统计年份,设备代码,设备名称,同批购进相同型号设备台数",
        "T-1,2015年,0101,CT,1",
        "T-1,2015,0102,CT,2",
    ]
    ledger, records = written(tmp_path, "大型设备", *lines)
    assert records.height == 2
    assert {entry.period for entry in ledger.entries} == {(dt.date(2015, 1, 1), dt.date(2015, 12, 31))}
    assert not any(finding.rule_id in ("VALUE_UNREADABLE", "PERIOD_MISSING") for finding in ledger.findings)


@pytest.mark.parametrize("size", [1, 7, 25])
def test_batches_of_any_size_say_the_same(unread, size):
    whole, records = read(unread, 1000)
    ledger, pieces = read(unread, size)
    by_subject = {
        (e.subject_ref if not e.placed else e.placed["subject_code"], e.period): e for e in whole.entries
    }
    assert len(by_subject) == len(ledger.entries) == 6
    for entry in ledger.entries:
        name = entry.placed["subject_code"] if entry.placed else entry.subject_ref
        twin = by_subject[name, entry.period]
        assert (entry.cards, entry.set_aside, entry.first, entry.last) == (
            twin.cards, twin.set_aside, twin.first, twin.last
        )  # fmt: skip
        assert entry.content.hexdigest() == twin.content.hexdigest()
    told = [
        sorted((f.rule_id, f.message_zh) for f in [*one.findings, *one.closing()]) for one in (whole, ledger)
    ]
    assert told[0] == told[1]
    same = ["source_row", "patient_key", "patient_age_band", "set_aside", "discharge_time", "main_diagnosis"]
    assert pieces.select(same).equals(records.select(same))


def test_a_unit_called_by_code_and_by_name_has_one_report_a_month(unread):
    ledger, records = read(unread, 1000)
    placed = [entry for entry in ledger.entries if entry.placed]
    assert {(entry.placed["subject_code"], entry.period[0].month) for entry in placed} == {
        ("T-1", 1), ("T-1", 2), ("T-2", 1), ("T-2", 2)
    }  # fmt: skip
    assert sum(entry.cards for entry in placed) == records.height == 45
    numbers = records.group_by("report_no").agg(pl.col("record_no").sort())
    assert all(list(part) == list(range(1, len(part) + 1)) for part in numbers["record_no"])
    assert ledger.unplaced_cards == 15


def test_a_card_with_more_fields_than_labels_is_set_aside_alone(tmp_path):
    line = "T-1,m{},构造人,,男,1980-05-01,2015-01-01 09:00,2015-01-04 09:00,3,J18.900,医嘱离院,{}"
    costs = ["1000", "1,000", "2000,,", '"3,000"']
    ledger, records = written(tmp_path, "病案首页", HEADER, *map(line.format, range(4), costs))
    assert records["set_aside"].to_list() == [None, "ROW_TOO_LONG", None, None]
    assert [(one.rule_id, one.severity, one.cell) for one in ledger.findings] == [
        ("ROW_TOO_LONG", "hard", "A3")
    ]
    assert records["cost_total"].to_list() == [1000, 1, 2000, 3000]
