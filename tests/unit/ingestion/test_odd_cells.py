"""Cells that no clerk types on purpose end in a finding, never in a failure of ours."""

import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from ingestion.cards.rows import Where
from ingestion.forms_catalogue import Catalogue
from ingestion.reading import SourceContext, UnreadCards, read_file

MONTH = {
    "机构编码": "T-1",
    "统计年月": "2015-01",
    "卫生技术人员数": 100.0,
    "实有床位": 50.0,
    "总诊疗人次数": 9.0,
}


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_beyond_all_bounds_is_no_number(tmp_path: Path, catalogue: Catalogue, number: str) -> None:
    path = tmp_path / "month.json"
    path.write_text(json.dumps([MONTH], ensure_ascii=False).replace("50.0", number), encoding="utf-8")
    (reading,) = read_file(path, catalogue=catalogue)
    assert "VALUE_NOT_A_NUMBER" in {finding.rule_id for finding in reading.findings}
    assert reading.records["beds_actual"].to_list() == [None]
    assert reading.records["visits_total"].to_list() == [9]


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_what_a_parquet_file_has_instead_of_a_number_is_none(
    tmp_path: Path, catalogue: Catalogue, number: float
) -> None:
    path = tmp_path / "month.parquet"
    pl.DataFrame([{**MONTH, "实有床位": number}]).write_parquet(path)
    (reading,) = read_file(path, catalogue=catalogue)
    assert "VALUE_NOT_A_NUMBER" in {finding.rule_id for finding in reading.findings}
    assert reading.records["beds_actual"].to_list() == [None]


def test_a_cell_that_shows_a_percentage_is_read_in_the_unit_of_its_field(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    """The sheet holds 0.955 and shows 95.5 %: a rate has 95.5, and in a count it cannot be right."""
    book = openpyxl.Workbook()
    for row in (
        ["地区代码", "调查年份", "调查", "项目", "样本量", "加权率(%)", "95%CI下限", "95%CI上限"],
        ["440507", 2015, "构造调查", "构造项目", 0.5, 0.955, 94, 0.99],
    ):
        book.active.append(row)
    for place, pattern in (("E2", "0%"), ("F2", "0.0%"), ("H2", "0.00%")):
        book.active[place].number_format = pattern
    path = tmp_path / "survey.xlsx"
    book.save(path)
    (reading,) = read_file(path, catalogue=catalogue)
    (row,) = reading.records.select("sample_size", "weighted_rate", "ci_low", "ci_high").rows()
    assert row == (None, 95.5, 94, 99)
    told = [one for one in reading.findings if one.cell == "E2"]
    assert [(one.rule_id, one.severity, one.value) for one in told] == [
        ("VALUE_IN_OTHER_UNIT", "hard", "50%")
    ]


def test_a_percentage_is_read_where_the_unit_of_its_row_says_per_cent(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    labels = ["机构编码", "统计季度", "任务编号", "计量单位", "目标值", "累计完成数"]
    rows = [["%", "95%", " 98.5％"], ["‰", "5‰", "4.2‰"], ["%", "95", "97"], ["个", "95%", "3"]]
    path = tmp_path / "任务进度.csv"
    lines = [labels, *(["LH-1", "2016年1-3月", f"T{n}", *row] for n, row in enumerate(rows))]
    path.write_text("\n".join(map(",".join, lines)), encoding="utf-8")
    (reading,) = read_file(path, catalogue=catalogue)
    read = reading.records.select("target_value", "done_cumulative").rows()
    assert read == [(95, 98.5), (5, 4.2), (95, 97), (None, 3)]
    told = [(one.rule_id, one.cell) for one in reading.findings]
    assert told == [("VALUE_IN_OTHER_UNIT", "E5")]


def test_labels_hold_nothing_that_a_database_refuses(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "month.json"
    path.write_text(json.dumps([{**MONTH, "备\0注": "1"}]), encoding="utf-8")
    (reading,) = read_file(path, catalogue=catalogue)
    told = [finding for finding in reading.findings if finding.rule_id == "COLUMN_UNKNOWN"]
    assert len(told) == 1
    assert not any("\0" in text for one in told for text in (one.message_zh, one.message_en, one.value or ""))


def test_a_first_card_with_such_numbers_is_read(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "病案首页.json"
    card = {
        "机构编码": "T-1",
        "病案号": "m1",
        "入院时间": "2015-01-01",
        "出院时间": "2015-01-03",
        "总费用": 1.5,
    }
    path.write_text(json.dumps([card], ensure_ascii=False).replace("1.5", "1e400"), encoding="utf-8")
    (reading,) = read_file(path, catalogue=catalogue)
    assert isinstance(reading, UnreadCards)
    assert reading.table is not None
    assert reading.found is not None
    (frame,) = reading.table.batches(1, 10)
    assert len(Where(reading.found, "", SourceContext(), path.name).cards(frame, 2)) == 1
