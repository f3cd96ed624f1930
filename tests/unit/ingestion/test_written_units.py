"""Units of measure that a file writes beside its numbers: read where they are the form's, told where they are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.cards.labels import header
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.reading import Reading, UnreadCards, read_file
from ingestion.written_units import differs, is_unit
from tests.unit.ingestion.conftest import write_grid

Read = Callable[..., Reading]

CODES = (
    *("organization_code", "report_month", "staff_technical", "beds_actual", "bed_days_open"),
    *("bed_days_occupied", "revenue_medical", "visits_total", "discharges"),
)
VALUES = ["LH-001", "2016-03", 100, 90, 2790, 2000, 5000, 20000, 300]
OURS = [None, None, "人", "张", "床日", "床日", "千元", "人次", "人"]
# Tens of thousands of visits, and a revenue in 元 where the form asks for 千元.
OTHERS = [None, None, "人", "张", "床日", "床日", "元", "万人次", "人"]


@pytest.fixture
def labels(catalogue: Catalogue) -> list[str]:
    """Printed labels of the columns of ``VALUES``."""
    form: Form = catalogue["hosp_monthly"]
    return [form.by_code[code].name_zh for code in CODES]


@pytest.fixture
def read_rows(tmp_path: Path, read: Read) -> Read:
    """Read rows of cells as one file."""
    return lambda rows, file_format="csv": read(write_grid(tmp_path / "f", rows, file_format))


def told(reading: Reading) -> list[tuple[str, str, str | None, int | None]]:
    """What is wrong, with the cell and the report."""
    return [(one.rule_id, one.severity, one.cell, one.report_no) for one in reading.findings]


def cells_of(revenue: str, visits: str) -> list[tuple[str, str, str | None, int | None]]:
    """That both contradict the form."""
    return [("UNIT_DIFFERS", "hard", revenue, 1), ("UNIT_DIFFERS", "hard", visits, 1)]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("元", "千元"),
        ("万元", "千元"),
        ("（元）", "千元"),
        ("人民币元", "千元"),
        ("美元", "千元"),
        ("人次", "千元"),
        ("万", "人次"),
        ("万人次", "人次"),
        ("百张", "张"),
        ("%", "人"),
        ("人", "%"),
        ("%", "‰"),
        ("‰", "1/10万"),
        ("万平方米", "m2"),
        ("千克", "克"),
        ("月", "岁"),
        ("元", "人次"),
    ],
)
def test_units_that_contradict(written: str, asked: str) -> None:
    assert differs(written, asked)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("千元", "千元"),
        ("（千元）", "千元"),
        ("元/人次", "元"),
        ("元（人民币）", "元"),
        ("千元（取整）", "千元"),
        ("人", "人次"),
        ("例", "人"),
        ("天", "床日"),
        ("平方米", "m2"),
        ("㎡", "m2"),
        ("公斤", "千克"),
        ("/10万", "1/10万"),
        ("—", "千元"),
        ("万人次", None),
        ("万元", "见计量单位栏"),
        ("箱", "个"),
    ],
)
def test_units_that_say_the_same_or_that_nobody_can_tell(written: str, asked: str | None) -> None:
    assert not differs(written, asked)


def test_only_units_are_units() -> None:
    assert all(map(is_unit, ("元", "(万元)", "人次", "百张", "%", "1/10万", "m²")))
    assert not any(map(is_unit, ("", "—", "医院", "100", "千方百计", "万人空巷", "2015年", "人数")))


@pytest.mark.parametrize(("units", "faults"), [(OURS, False), (OTHERS, True)])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_row_of_units_below_the_labels_is_no_record(
    units: list[str | None],
    faults: bool,
    file_format: str,
    labels: list[str],
    read_rows: Read,
) -> None:
    reading = read_rows([labels, units, VALUES], file_format=file_format)
    assert told(reading) == (cells_of("G2", "H2") if faults else [])
    assert reading.records["source_row"].to_list() == [3]


@pytest.mark.parametrize(
    ("between", "first"),
    [
        ([["甲", "乙", 1, 2, 3, 4, 5, 6, 7], ["机构", "年月", *OTHERS[2:]]], 4),
        ([["计量单位", "—", *(f"（{unit}）" for unit in OTHERS[2:])], ["甲", "乙", 1, 2, 3, 4, 5, 6, 7]], 3),
    ],
)
def test_a_row_of_units_may_have_words_and_numbers_of_columns_beside_it(
    between: list[list[object]], first: int, labels: list[str], read_rows: Read
) -> None:
    reading = read_rows([["医疗服务月报表"], labels, *between, VALUES])
    assert told(reading) == cells_of(f"G{first}", f"H{first}")
    assert reading.records["source_row"].to_list() == [5]


def test_units_come_again_with_the_labels_on_the_next_page(labels: list[str], read_rows: Read) -> None:
    pages = [labels, OURS, VALUES, labels, OURS, ["LH-002", *VALUES[1:]]]
    reading = read_rows(pages)
    assert told(reading) == []
    assert reading.records["source_row"].to_list() == [3, 6]


def test_a_record_whose_numbers_were_typed_as_units_stays_a_record(
    labels: list[str], read_rows: Read
) -> None:
    reading = read_rows([labels, [*VALUES[:2], *OURS[2:]], VALUES])
    assert {one.rule_id for one in reading.findings} >= {"VALUE_NOT_A_NUMBER"}


@pytest.mark.parametrize(("units", "faults"), [(OURS, False), (OTHERS, True)])
@pytest.mark.parametrize(
    "heads",
    [
        pytest.param(["指标", "计量单位", "本月"], id="before the numbers"),
        pytest.param(["指标", "本月", "计量单位"], id="behind them"),
        pytest.param(None, id="without heads"),
    ],
)
def test_a_unit_beside_each_field_is_held_against_the_form(
    units: list[str | None],
    faults: bool,
    heads: list[str] | None,
    labels: list[str],
    read_rows: Read,
) -> None:
    turned = heads is not None and heads[1] == "本月"
    rows: list[list[object]] = [
        [label, *((value, unit) if turned else (unit, value))]
        for label, unit, value in zip(labels, units, VALUES, strict=True)
    ]
    reading = read_rows([*([heads] if heads else []), *rows])
    column, top = "C" if turned else "B", len(rows) - len(labels) + (2 if heads else 1)
    expected = cells_of(f"{column}{top + 6}", f"{column}{top + 7}")
    assert told(reading) == (expected if faults else [])
    assert reading.records.select("revenue_medical", "visits_total").rows() == [(5000, 20000)]


@pytest.mark.parametrize(("units", "faults"), [(OURS, False), (OTHERS, True)])
def test_a_unit_between_label_and_number_of_a_sheet_is_held_against_the_form(
    units: list[str | None], faults: bool, labels: list[str], read_rows: Read
) -> None:
    """Two labels a row, the unit once before its number and once behind it."""
    rows: list[list[object]] = [["机构编码：LH-001"], ["统计年月：2016-03"]]
    ours = list(zip(labels[2:], units[2:], VALUES[2:], strict=True))
    for left, right in zip(ours[::2], [*ours[1::2], ("", None, None)], strict=True):
        rows.append([left[0], left[1], left[2], right[0], right[2], right[1]])
    reading = read_rows([["医疗服务月报表"], *rows])
    assert reading.layout == "sheet"
    assert told(reading) == (cells_of("B6", "F6") if faults else [])
    assert reading.records.select("revenue_medical", "visits_total").rows() == [(5000, 20000)]


def test_a_unit_in_each_row_of_a_long_table_blames_the_report_of_its_row(
    labels: list[str], read_rows: Read
) -> None:
    rows: list[list[object]] = [["机构编码", "统计年月", "指标名称", "计量单位", "数值"]]
    for subject, units in (("LH-001", OURS), ("LH-002", OTHERS)):
        for label, unit, value in zip(labels[2:], units[2:], VALUES[2:], strict=True):
            rows.append([subject, "2016-03", label, unit, value])
    reading = read_rows(rows)
    assert reading.layout == "long"
    assert told(reading) == [("UNIT_DIFFERS", "hard", "D13", 2), ("UNIT_DIFFERS", "hard", "D14", 2)]


def test_a_unit_in_each_row_of_a_table_speaks_for_the_numbers_that_are_measured_alike(
    labels: list[str], read_rows: Read
) -> None:
    rows = [[*labels, "计量单位"]]
    for number, unit in enumerate(("千元", "万元", "人次", "元", None, "万")):
        rows.append([f"LH-{number}", *VALUES[1:], unit])
    measures = {"G": "revenue_medical", "H": "visits_total"}
    findings = [(one.rule_id, one.cell, one.report_no, one.field_code) for one in read_rows(rows).findings]
    assert findings[:2] == [
        ("UNIT_DIFFERS", "J3", 2, measures["G"]),
        ("UNIT_DIFFERS", "J5", 4, measures["G"]),
    ]
    assert {cell for _, cell, _, _ in findings} == {"J3", "J5", "J7"}
    assert {code for *_, code in findings[2:]} >= set(measures.values())


def test_a_column_of_institutions_holds_no_units(labels: list[str], read_rows: Read) -> None:
    """单位 heads both."""
    rows: list[list[object]] = [["单位", "统计年月", "指标名称", "数值"]]
    rows += [["甲医院", "2016-03", *pair] for pair in zip(labels[2:], VALUES[2:], strict=True)]
    assert {one.rule_id for one in read_rows(rows).findings} <= {"SUBJECT_MISSING"}


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_each_table_of_a_sheet_goes_by_the_unit_of_money_above_it(
    file_format: str, labels: list[str], read_rows: Read
) -> None:
    second = ["LH-002", *VALUES[1:]]
    third = ["LH-003", *VALUES[1:]]
    rows = [
        ["单位：千元"],
        labels,
        VALUES,
        [],
        ["单位：元"],
        labels,
        second,
        [],
        ["单位：千元"],
        labels,
        third,
    ]
    reading = read_rows(rows, file_format=file_format)
    assert reading.reports["subject_ref"].to_list() == ["LH-001", "LH-002", "LH-003"]
    assert told(reading) == [("UNIT_DIFFERS", "hard", "G6", 2)]


def test_a_title_of_money_alone_keeps_who_and_when_of_the_title_before(
    labels: list[str], read_rows: Read
) -> None:
    head = ["2016年3月 医疗服务月报表", None, "机构编码：LH-001"]
    rows = [head, ["单位：千元"], labels[2:], VALUES[2:], ["单位：元"], labels[2:], [101, *VALUES[3:]]]
    reading = read_rows(rows)
    assert reading.reports["subject_ref"].to_list() == ["LH-001"]
    assert ("UNIT_DIFFERS", "hard", "E6", 1) in told(reading)


@pytest.mark.parametrize(
    ("label", "units", "cell"),
    [
        ("总费用", [], None),
        ("总费用（万元）", [], "E1"),
        ("总费用", [None, None, None, None, "元"], None),
        ("总费用", [None, None, None, None, "千元"], "E2"),
    ],
)
def test_a_unit_of_cards_is_held_against_the_form_once_for_all_cards(
    label: str, units: list[str | None], cell: str | None, catalogue: Catalogue, tmp_path: Path
) -> None:
    labels = ["机构编码", "病案号", "入院时间", "出院时间", label]
    cards = [["LH-001", "m1", "2015-01-01", "2015-01-03", 1.5]]
    path = write_grid(tmp_path / "病案首页.csv", [labels, *([units] if units else []), *cards])
    (unread,) = read_file(path, catalogue=catalogue)
    assert isinstance(unread, UnreadCards)
    assert unread.found is not None
    assert unread.found.header_row == len(units[:1])
    findings = header(unread.found, "")
    assert [(one.rule_id, one.severity, one.cell) for one in findings if one.rule_id == "UNIT_DIFFERS"] == (
        [("UNIT_DIFFERS", "hard", cell)] if cell else []
    )
