"""However many cards of a file have the same fault, each of them is treated alike; only their findings are capped."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import polars as pl

from ingestion.cards.batch import BatchReader
from ingestion.cards.hashing import Hasher
from ingestion.cards.ledger import Ledger
from ingestion.cards.persons import normalised_number
from ingestion.forms_catalogue import load_forms
from ingestion.reading import SourceContext, UnreadCards, read_file
from tests.unit.ingestion.cards.test_batches import lane

CAP = 3
HEADER = "卡片编号,姓名,报告单位,诊断日期,病例分类1,疾病名称"


def card(no: int, reporter: str = "") -> str:
    return f"K{no:05},构造人,{reporter},2015-01-05 08:30,确诊病例,手足口病"


def read(tmp_path: Path, lines: list[str]) -> tuple[Ledger, pl.DataFrame]:
    path = tmp_path / "cards.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    (unread,) = read_file(path, catalogue=load_forms(), source=SourceContext("cdc", "440507"))
    assert isinstance(unread, UnreadCards)
    assert unread.table is not None
    assert unread.found is not None
    region = replace(lane(unread), source=SourceContext("cdc", "440507"))
    ledger = Ledger(cap=CAP)
    reader = BatchReader(
        unread.found,
        "",
        region,
        ledger,
        Hasher(b"key"),
        file_name=path.name,
        received_on=dt.date(2016, 1, 1),
    )
    (frame,) = unread.table.batches(1, 1000)
    return ledger, reader.read(frame, 2).records


def test_who_somebody_is_is_blanked_on_every_card(tmp_path):
    ledger, records = read(tmp_path, [card(no, f"139123456{no:02}") for no in range(10)])
    assert records["report_org"].to_list() == [None] * 10
    assert sum(one.rule_id == "PERSON_MISPLACED" for one in ledger.findings) == CAP


def test_who_somebody_is_in_the_number_of_a_card_becomes_a_keyed_hash(tmp_path):
    numbers = ["K00001", "13912345678", "440507198005070017", "K00002", "K00003"]
    ledger, records = read(tmp_path, [card(0).replace("K00000", number) for number in numbers])
    hashed = [Hasher(b"key").of(number) for number in numbers[1:3]]
    assert records["card_no"].to_list() == [numbers[0], *hashed, *numbers[3:]]
    assert [one.cell for one in ledger.findings if one.rule_id == "PERSON_MISPLACED"] == ["A3", "A4"]
    assert not any(number in f"{one.message_zh}{one.value}" for one in ledger.findings for number in numbers)
    assert records["set_aside"].null_count() == len(numbers)


def test_every_copy_of_a_card_is_left_out(tmp_path):
    _, records = read(tmp_path, [card(1)] * 10)
    assert records["set_aside"].to_list() == [None] + ["CARD_TWICE"] * 9


def test_numbers_are_normalised_beside_those_that_were_given():
    given = pl.Series(["440507 19800507 0031", "44050719800507003x"])
    assert normalised_number(given).to_list() == ["440507198005070031", "44050719800507003X"]
    assert given.to_list() == ["440507 19800507 0031", "44050719800507003x"]
