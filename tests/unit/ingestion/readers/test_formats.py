"""What each format says in its own way: dates, merged cells, errors, flags, places, shapes."""

import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from ingestion.readers import read_tables
from ingestion.readers.number_formats import day_of_serial, shows_date, shows_percent
from ingestion.readers.table import Table
from tests.unit.ingestion.readers.bombs import edited
from tests.unit.ingestion.readers.writers import ods, spreadsheetml, zipped


def read(tmp_path: Path, content: bytes) -> list[Table]:
    path = tmp_path / "file"
    path.write_bytes(content)
    return read_tables(path)


def xml_workbook(rows: Sequence[str], styles: str = "", before: str = "") -> bytes:
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"'
        ' xmlns:x="urn:schemas-microsoft-com:office:excel"'
        f' xmlns:html="http://www.w3.org/TR/REC-html40">{before}<ss:Styles>{styles}</ss:Styles>'
        f'<ss:Worksheet ss:Name="表"><ss:Table>{"".join(rows)}</ss:Table></ss:Worksheet></ss:Workbook>'
    ).encode()


def cell(kind: str, text: str, **attributes: object) -> str:
    more = "".join(f' ss:{key}="{value}"' for key, value in attributes.items())
    return f'<ss:Cell{more}><ss:Data ss:Type="{kind}">{text}</ss:Data></ss:Cell>'


def row(*cells: str, **attributes: object) -> str:
    more = "".join(f' ss:{key}="{value}"' for key, value in attributes.items())
    return f"<ss:Row{more}>{''.join(cells)}</ss:Row>"


@pytest.mark.parametrize("large", [1 << 20, 1])
def test_a_formula_that_nobody_calculated_shows_itself(
    large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs write formulas without their value; one whose value is an empty text is blank."""
    monkeypatch.setattr("ingestion.readers.workbook.LARGE", large)
    rows = [["合计", "数"], [None, "=B3+B4"], [None, 3], [None, 4], [None, "=1/0"], *([[1, 2]] * 60)]
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    blank = b'<c r="A2" t="str"><f>IF(B2=1,1,"")</f><v></v></c>'
    error = b'<c r="B5" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    edited = re.sub(rb'<row r="2"[^>]*>', lambda found: found[0] + blank, members[sheet])
    edited = re.sub(rb'<c r="B5".*?</c>', error, edited)
    path = tmp_path / "f.xlsx"
    path.write_bytes(zipped({**members, sheet: edited}))
    (table,) = read_tables(path)
    assert table.rows_below(0).rows()[1:5] == [(None, "=B3+B4"), (None, "3"), (None, "4"), (None, "#DIV/0!")]


def test_an_xml_workbook_keeps_places_kinds_and_merged_cells(tmp_path: Path) -> None:
    styles = (
        '<ss:Style ss:ID="day"><ss:NumberFormat ss:Format="yyyy\\-mm\\-dd"/></ss:Style>'
        '<ss:Style ss:ID="bold" ss:Parent="day"/>'
        '<ss:Style ss:ID="number"><ss:NumberFormat ss:Format="#,##0.00;[Red]-#,##0"/></ss:Style>'
    )
    rows = [
        row(
            cell("String", "病种", MergeDown=1), cell("String", "四月", MergeAcross=1), cell("String", "备注")
        ),
        row(cell("String", "发病", Index=2), cell("String", "死亡")),
        row(Index=4, Span=1),
        row(
            cell("Number", "7410.0"),
            cell("Number", "42005", StyleID="bold"),
            cell("Number", "1234.5", StyleID="number"),
            cell("DateTime", "2017-04-01T00:00:00.000"),
            cell("DateTime", "2017-04-01T08:30:00.000"),
            cell("DateTime", "1899-12-31T08:30:00.000"),
            cell("Boolean", "1"),
            cell("Error", "#N/A"),
            '<ss:Cell><ss:Data ss:Type="String">甲<html:B>乙</html:B></ss:Data>'
            "<ss:Comment><ss:Data>批注</ss:Data></ss:Comment></ss:Cell>",
            cell("Number", "1_000"),
        ),
    ]
    (table,) = read(tmp_path, xml_workbook(rows, styles))
    assert table.sheet == "表"
    assert table.head[0][:4] == ["病种", "四月", "四月", "备注"]
    assert table.head[1][:3] == ["病种", "发病", "死亡"]
    assert table.head[5] == [
        *("7410", "2015-01-01", "1234.5", "2017-04-01", "2017-04-01 08:30:00"),
        *("08:30:00", "TRUE", "#N/A", "甲乙", "1_000"),
    ]
    assert len(table.head) == 6


def test_styles_of_rows_and_columns_make_dates_too(tmp_path: Path) -> None:
    styles = '<ss:Style ss:ID="day"><ss:NumberFormat ss:Format="Short Date"/></ss:Style>'
    rows = [
        '<ss:Column ss:Index="2" ss:StyleID="day"/>',
        row(cell("Number", "42005"), cell("Number", "42005")),
        row(cell("Number", "42005"), StyleID="day"),
    ]
    (table,) = read(tmp_path, xml_workbook(rows, styles))
    assert table.head == [["42005", "2015-01-01"], ["2015-01-01", ""]]


def test_days_may_count_from_1904(tmp_path: Path) -> None:
    styles = '<ss:Style ss:ID="day"><ss:NumberFormat ss:Format="d-mmm-yy"/></ss:Style>'
    before = "<x:ExcelWorkbook><x:Date1904/></x:ExcelWorkbook>"
    rows = [row(cell("Number", "40543", StyleID="day"))]
    assert read(tmp_path, xml_workbook(rows, styles, before))[0].head == [["2015-01-01"]]
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append([dt.date(2015, 1, 1)])
    target = io.BytesIO()
    book.save(target)
    assert read(tmp_path, target.getvalue())[0].head == [["2015-01-01"]]
    old = xlwt.Workbook()
    old.dates_1904 = True
    old.add_sheet("a").write(0, 0, 40543, xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    target = io.BytesIO()
    old.save(target)
    assert read(tmp_path, target.getvalue())[0].head == [["2015-01-01"]]


def test_an_old_workbook_keeps_errors_flags_merged_cells_and_sheets(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    first, second = book.add_sheet("一"), book.add_sheet("二")
    first.write_merge(0, 0, 0, 2, "四月")
    first.write(1, 0, True)
    first.row(1).set_cell_error(1, 0x2A)
    first.write(1, 2, "0012")
    second.row(0).set_cell_error(0, "#DIV/0!")
    second.write(0, 3, 0.1 + 0.2)
    target = io.BytesIO()
    book.save(target)
    one, two = read(tmp_path, target.getvalue())
    assert (one.sheet, one.head) == ("一", [["四月"] * 3, ["TRUE", "#N/A", "0012"]])
    assert (two.sheet, two.head) == ("二", [["#DIV/0!", "", "", "0.3"]])


def test_ods_cells_repeat_span_and_leave_out_remarks(tmp_path: Path) -> None:
    def change(content: bytes) -> bytes:
        content = content.replace(b'office:value="7"', b'office:value="7" table:number-columns-repeated="3"')
        remark = "<office:annotation><text:p>批注</text:p></office:annotation><text:p>甲".encode()
        return content.replace("<text:p>甲".encode(), remark)

    (table,) = read(tmp_path, edited(ods([["甲", 7], [None, True]]), content=change))
    assert table.head == [["甲", "7", "7", "7"], ["", "TRUE", "", ""]]


def test_a_page_keeps_spans_and_tables_inside_tables(tmp_path: Path) -> None:
    page = (
        "<!DOCTYPE html><html><head><style>td{color:red}</style></head><body><table>"
        "<tr><th rowspan=2>机构<br>名称<th colspan=2>四&nbsp;月</tr><tr><td>发病</td><td>死亡</td></tr>"
        "<tr><td>甲&amp;乙<td><table><tr><td>内</td></tr></table></td><td>3</td></tr></table></body></html>"
    )
    outer, inner = read(tmp_path, page.encode())
    assert outer.head == [
        ["机构\n名称", "四\xa0月", "四\xa0月"],
        ["机构\n名称", "发病", "死亡"],
        ["甲&乙", "", "3"],
    ]
    assert inner.head == [["内"]]


@pytest.mark.parametrize(
    ("document", "head"),
    [
        ([{"甲": 1}, {"甲": 2, "乙": "x"}], [["甲", "乙"], ["1", ""], ["2", "x"]]),
        ([["甲", "乙"], [1], [None, True]], [["甲", "乙"], ["1", ""], ["", "TRUE"]]),
        ({"columns": [{"name": "甲"}, "乙"], "data": [[1, 2]]}, [["甲", "乙"], ["1", "2"]]),
        (
            {"统计年月": "2015-03", "rows": [{"甲": 0.1}]},
            [["统计年月：2015-03"], ["甲"], ["0.1"]],
        ),
        ({"甲": 1, "乙": 2}, [["甲", "乙"], ["1", "2"]]),
        ([{"甲": {"内": [1, 2]}}], [["甲"], ['{"内":[1,2]}']]),
        (
            {"code": 0, "msg": "ok", "data": {"total": 1, "rows": [{"甲": 1}], "errors": []}},
            [["code：0"], ["msg：ok"], ["total：1"], ["甲"], ["1"]],
        ),
        (
            {"data": {"page": {"columns": ["甲", "乙"], "rows": [[1, 2]]}}},
            [["甲", "乙"], ["1", "2"]],
        ),
        (
            {"统计年月": "2015-03", "数据": {"甲": 1, "乙": 2}},
            [["统计年月：2015-03", ""], ["甲", "乙"], ["1", "2"]],
        ),
        ({"甲": 1, "乙": 2, "内": {"丙": 3}}, [["甲", "乙", "内"], ["1", "2", '{"丙":3}']]),
    ],
)
def test_json_of_any_shape_is_a_table(document: Any, head: list[list[str]], tmp_path: Path) -> None:
    (table,) = read(tmp_path, json.dumps(document, ensure_ascii=False).encode())
    assert table.head == head


def test_long_whole_numbers_of_json_keep_their_digits(tmp_path: Path) -> None:
    (table,) = read(tmp_path, b'[{"a": 440507199001011234}, {"a": 5}]')
    assert table.rows_below(1).rows() == [("440507199001011234",), ("5",)]


def test_escaped_characters_of_json_are_read_and_halves_of_them_marked(tmp_path: Path) -> None:
    (table,) = read(tmp_path, b'[{"a": "\\ud83d\\ude00\\u533b\\ud800x", "b": "\\\\ud800"}]')
    assert table.rows_below(1).rows() == [("\U0001f600医?x", "\\ud800")]


def test_lines_may_leave_out_keys_and_bring_new_ones(tmp_path: Path) -> None:
    (table,) = read(tmp_path, '{"甲": 1}\n\n{"乙": "x"}\n{"甲": 2, "丙": null}\n'.encode())
    assert table.head == [["甲", "乙", "丙"], ["1", "", ""], ["", "x", ""], ["2", "", ""]]
    batches = list(table.batches(1, 2))
    assert [batch.height for batch in batches] == [2, 1]
    assert all(batch.schema == batches[0].schema for batch in batches)


XML = """<?xml version="1.0" encoding="GB2312"?>
<报表 统计年月="2015-03"><填报单位>甲医院</填报单位><明细>
<行 机构="甲"><发病数>3</发病数><死亡数/></行><行 机构="乙"><发病数>0</发病数><备注>无</备注></行>
</明细></报表>"""


def test_xml_records_are_rows_and_what_stands_beside_them_is_a_title(tmp_path: Path) -> None:
    (table,) = read(tmp_path, XML.encode("gb18030"))
    assert [[text for text in row if text] for row in table.head] == [
        ["统计年月：2015-03"],
        ["填报单位：甲医院"],
        ["机构", "发病数", "备注"],
        ["甲", "3"],
        ["乙", "0", "无"],
    ]


def test_xml_of_one_record_and_of_two_lists(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "<a><b><甲>1</甲><乙 单位='人'>2</乙></b></a>".encode())
    assert one.head == [["甲", "单位", "乙"], ["1", "人", "2"]]
    lists = read(tmp_path, b"<a><b x='1'/><b x='2'/><c><d y='3'/><d y='4'/></c></a>")
    assert [(table.sheet, table.head) for table in lists] == [
        ("b", [["x"], ["1"], ["2"]]),
        ("d", [["y"], ["3"], ["4"]]),
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        "yyyy-mm-dd",
        "m/d/yy",
        'yyyy"年"m"月"d"日"',
        "[$-804]yyyy年m月",
        "Short Date",
        "d-mmm-yy",
        "yyyy-mm-dd hh:mm:ss",
        "mmm",
    ],
)
def test_formats_of_days(pattern: str) -> None:
    assert shows_date(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["General", "0.00", "#,##0", "[h]:mm:ss", "hh:mm", "@", '"day" 0', "[Red]0", "0.00E+00", "", "Long Time"],
)
def test_formats_of_anything_else(pattern: str) -> None:
    assert not shows_date(pattern)


@pytest.mark.parametrize("pattern", ["0%", "0.00%", "Percent", "0.0%;[Red]-0.0%", "[$-804]#,##0.0%_ "])
def test_formats_of_percentages(pattern: str) -> None:
    assert shows_percent(pattern)


@pytest.mark.parametrize("pattern", ["General", "0.0", '0.0"%"', "0.0\\%", "yyyy-mm-dd", "", "@"])
def test_formats_of_no_percentages(pattern: str) -> None:
    assert not shows_percent(pattern)


PERCENTS = [["率", "数"], ["95.5%", "0.955"], ["7%", "12"], ["-300%", "文"]]
_NUMBERS: list[list[Any]] = [["率", "数"], [0.955, 0.955], [0.07, 12], [-3, "文"]]


def _percent_xlsx(pattern: str) -> bytes:
    book = openpyxl.Workbook()
    for row in _NUMBERS:
        book.active.append(row)
    for cell in book.active["A"]:
        cell.number_format = pattern
    book.active["B4"].number_format = pattern
    return _saved(book)


def _saved(book: openpyxl.Workbook | xlwt.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _prefixed(content: bytes) -> bytes:
    """The same workbook with its sheet in XML that no pattern knows."""

    def prefix(xml: bytes) -> bytes:
        return re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", xml).replace(b"xmlns=", b"xmlns:x=")

    return edited(content, sheet1=prefix)


def _percent_xls(pattern: str) -> bytes:
    book = xlwt.Workbook()
    book.add_sheet("空")
    sheet, style = book.add_sheet("表"), xlwt.easyxf(num_format_str=pattern)
    for i, row in enumerate(_NUMBERS):
        sheet.write(i, 0, row[0], style)
        sheet.write(i, 1, row[1])
    return _saved(book)


def _percent_ods() -> bytes:
    def first_of_each_row(xml: bytes) -> bytes:
        return re.sub(
            rb'(<table:table-row><table:table-cell [^>]*value-type=)"float"', rb'\1"percentage"', xml
        )

    return edited(ods(_NUMBERS), content=first_of_each_row)


def _percent_spreadsheetml() -> bytes:
    styles = (
        '<ss:Style ss:ID="share"><ss:NumberFormat ss:Format="Percent"/></ss:Style>'
        '<ss:Style ss:ID="bold" ss:Parent="share"/>'
        '<ss:Style ss:ID="plain" ss:Parent="share"><ss:NumberFormat ss:Format="0.000"/></ss:Style>'
    )
    rows = [
        row(
            *(
                cell("String" if isinstance(value, str) else "Number", str(value), StyleID=style)
                for value, style in zip(values, ("bold", "plain"), strict=True)
            )
        )
        for values in _NUMBERS
    ]
    return xml_workbook(rows, styles)


@pytest.mark.parametrize("large", [1 << 20, 1])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_percent_xlsx("0%"), id="xlsx, built in"),
        pytest.param(_percent_xlsx("0.0%;[Red]-0.0%"), id="xlsx, own pattern"),
        pytest.param(_prefixed(_percent_xlsx("0.00%")), id="xlsx, parsed"),
        pytest.param(_percent_xls("0%"), id="xls, built in"),
        pytest.param(_percent_xls("0.0%;[红色]-0.0%"), id="xls, own pattern"),
        pytest.param(_percent_ods(), id="ods"),
        pytest.param(_percent_spreadsheetml(), id="spreadsheetml"),
    ],
)
def test_a_number_shown_as_a_percentage_is_read_as_shown(
    content: bytes, large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.readers.workbook.LARGE", large)
    table = read(tmp_path, content)[-1]
    assert table.head == PERCENTS
    assert [list(values) for values in table.rows_below(0).rows()] == PERCENTS


def test_numbers_that_are_no_days_stay_numbers() -> None:
    assert [day_of_serial(number) for number in (-1.0, 5.0, 1e9)] == [-1.0, 5.0, 1e9]
    assert str(day_of_serial(42005.5)) == "2015-01-01 12:00:00"


def test_sheets_in_several_encodings_are_one(tmp_path: Path) -> None:
    heads = [
        read(tmp_path, spreadsheetml([["机构", 1]], encoding=encoding, sheets=("甲", "乙")))
        for encoding in ("utf-8", "gbk", "gb2312", "utf-16")
    ]
    assert all(
        [(t.sheet, t.head) for t in tables] == [("甲", [["机构", "1"]]), ("乙", [["机构", "1"]])]
        for tables in heads
    )
