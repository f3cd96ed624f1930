"""Rows of delimited text with more fields than their labels: told by their row, and all others are read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.reading import Reading

LABELS = (
    "机构编码,统计年月,卫生技术人员,实有床位,实际开放总床日数,实际占用总床日数,医疗收入,总诊疗人次数,出院人数"
)
VALUES = "LH-001,2016-03,100,90,2790,2000,5000,{},300"
SOUND, BROKEN = VALUES.format("20000"), VALUES.format("20,000")

ReadText = Callable[..., Reading]


@pytest.fixture
def read_text(tmp_path: Path, read: Callable[..., Reading]) -> ReadText:
    """Read lines of text as a file."""

    def _read(*lines: str) -> Reading:
        path = tmp_path / "医疗服务月报表.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return read(path)

    return _read


def told(reading: Reading) -> list[tuple[str, str, str | None, int | None]]:
    """What is wrong, with the cell and the report."""
    return [(one.rule_id, one.severity, one.cell, one.report_no) for one in reading.findings]


def upright(line: str, separator: str = ",") -> list[str]:
    """A line for each field, of which one may have a field too many."""
    labels, values = LABELS.split(","), line.replace("20,000", "20;000").split(",")
    return [f"{a}{separator}{b.replace(';', ',')}" for a, b in zip(labels, values, strict=True)]


@pytest.mark.parametrize("above", [[], ["医疗服务月报表"], ["医疗服务月报表,,,,,,,,,,,", ""]])
def test_a_thousand_without_quotes_is_told_and_the_other_rows_are_read(
    above: list[str], read_text: ReadText
) -> None:
    reading = read_text(*above, LABELS, SOUND.replace("001", "002"), BROKEN, SOUND.replace("001", "003"))
    row = len(above) + 3
    assert told(reading) == [("ROW_TOO_LONG", "hard", f"A{row}", 2)]
    assert f"第{row}行" in reading.findings[0].message_zh
    assert reading.reports["subject_ref"].to_list() == ["LH-002", "LH-001", "LH-003"]
    assert reading.records["visits_total"].to_list() == [20000, 20, 20000]


def test_a_long_row_far_below_is_told_too(read_text: ReadText) -> None:
    many = [SOUND.replace("001", f"{number:03}") for number in range(100, 300)]
    reading = read_text(LABELS, *many, BROKEN)
    assert told(reading) == [("ROW_TOO_LONG", "hard", "A202", 201)]


@pytest.mark.parametrize(
    ("labels", "row", "rules"),
    [
        pytest.param(LABELS, SOUND + ",,,", [], id="blank fields behind"),
        pytest.param(LABELS + ",", SOUND + ",加床", ["COLUMN_UNKNOWN"], id="a column without a label"),
        pytest.param(LABELS, SOUND.replace("20000", '"20,000"'), [], id="quotes"),
    ],
)
def test_a_row_as_long_as_its_labels_is_sound(
    labels: str, row: str, rules: list[str], read_text: ReadText
) -> None:
    reading = read_text(labels, row, "填表人：（构造）,,,,,,,,,,审核人：（构造）")
    assert [rule for rule, *_ in told(reading)] == rules
    assert reading.records["visits_total"].to_list() == [20000]


@pytest.mark.parametrize("head", [["指标,本月"], []])
def test_a_field_too_many_beside_a_label_is_told(head: list[str], read_text: ReadText) -> None:
    reading = read_text(*head, *upright(BROKEN))
    assert told(reading) == [("ROW_TOO_LONG", "hard", f"A{len(head) + 8}", 1)]
    assert not told(read_text(*head, *upright(SOUND)))


def test_a_field_too_many_in_a_sheet_of_pairs_is_told(read_text: ReadText) -> None:
    pairs = upright(BROKEN)[2:]
    rows = [",".join(pairs[:2]), ",".join(pairs[2:4]), ",".join(pairs[4:6]), pairs[6]]
    reading = read_text("医疗服务月报表", "机构编码：LH-001,统计年月：2016-03", *rows)
    assert reading.layout == "sheet"
    assert ("ROW_TOO_LONG", "hard", "A5", 1) in told(reading)


def test_a_field_too_many_in_a_long_table_is_told(read_text: ReadText) -> None:
    rows = [f"LH-001,2016-03,{line}" for line in upright(BROKEN)[2:]]
    reading = read_text("机构编码,统计年月,指标名称,数值", *rows)
    assert reading.layout == "long"
    assert told(reading) == [("ROW_TOO_LONG", "hard", "A7", 1)]
