"""Raised digits of rich text stay apart from the digits that they follow, whatever the format."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from ingestion.readers import read_tables
from ingestion.readers.raised import raised
from tests.unit.ingestion.readers.bombs import edited, with_cells
from tests.unit.ingestion.readers.test_formats import row, xml_workbook
from tests.unit.ingestion.readers.writers import ods

SHOWN = [["1200¹", "面积(m²)", "7注1", "12"]]
_RUN = '<r><rPr><sz val="9"/><vertAlign val="superscript"/></rPr><t xml:space="preserve">{}</t></r>'


def _pieces(template: str) -> list[str]:
    """The cells, with ``template`` around what is raised; the last one has plain digits of two fonts."""
    one, two, mark = (template.format(text) for text in ("1", "2", "注1"))
    return [f"1200{one}", f"面积(m{two})", f"7{mark}", "12"]


def inline_strings() -> bytes:
    book = openpyxl.Workbook()
    up = InlineFont(vertAlign="superscript")
    plain = InlineFont(b=True)
    book.active.append(
        [
            CellRichText("1200", TextBlock(up, "1")),
            CellRichText("面积(m", TextBlock(up, "2"), ")"),
            CellRichText("7", TextBlock(up, "注1")),
            CellRichText("1", TextBlock(plain, "2")),
        ]
    )
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def shared_strings() -> bytes:
    """As spreadsheet programs write them."""
    texts = [
        f"<si><r><t>1200</t></r>{_RUN.format('1')}</si>",
        f"<si><r><t>面积(m</t></r>{_RUN.format('2')}<r><t>)</t></r></si>",
        f"<si><r><t>7</t></r>{_RUN.format('注1')}</si>",
        "<si><r><t>1</t></r><r><rPr><b/></rPr><t>2</t></r></si>",
    ]
    cells = "".join(f'<c r="{column}1" t="s"><v>{n}</v></c>' for n, column in enumerate("ABCD"))
    target = io.BytesIO(with_cells(f'<row r="1">{cells}</row>'))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(
            "xl/sharedStrings.xml",
            f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{"".join(texts)}</sst>',
        )
    return target.getvalue()


def html() -> bytes:
    cells = "".join(f"<td>{text}</td>" for text in _pieces("<sup>{}</sup>"))
    return f"<html><body><table><tr>{cells}</tr></table></body></html>".encode()


def spreadsheetml() -> bytes:
    data = '<ss:Cell><ss:Data ss:Type="String">{}</ss:Data></ss:Cell>'
    return xml_workbook([row(*(data.format(text) for text in _pieces("<html:Sup>{}</html:Sup>")))])


@pytest.mark.parametrize("position", ["super 58%", "33% 58%"])
def test_raised_digits_of_open_documents_stay_apart(position: str, tmp_path: Path) -> None:
    cells = _pieces('<text:span text:style-name="T1">{}</text:span>')
    style = (
        '<office:automatic-styles><style:style style:name="T1" style:family="text">'
        f'<style:text-properties style:text-position="{position}"/></style:style>'
        '<style:style style:name="T2" style:family="text">'
        '<style:text-properties style:text-position="-33% 58%"/></style:style></office:automatic-styles>'
    )

    def rich(xml: bytes) -> bytes:
        text = xml.decode()
        for name, cell in zip("甲乙丙丁", cells, strict=True):
            text = text.replace(name, cell)
        assert "<office:automatic-styles/>" in text
        return text.replace("<office:automatic-styles/>", style).encode()

    path = tmp_path / "file"
    path.write_bytes(edited(ods([["甲", "乙", "丙", "丁"]]), content=rich))
    assert read_tables(path)[0].head == SHOWN


def old_workbook() -> bytes:
    """Enough texts before those that matter to need several records."""
    book = xlwt.Workbook()
    sheet, beside = book.add_sheet("表"), book.add_sheet("文字")
    for number in range(700):
        beside.write(number, 0, f"{number:04}号，文字较长，占满一条记录")
    up, bold = xlwt.Font(), xlwt.Font()
    up.escapement, bold.bold = xlwt.Font.ESCAPEMENT_SUPERSCRIPT, True
    cells = (["1200", ("1", up)], ["面积(m", ("2", up), ")"], ["7", ("注1", up)], ["1", ("2", bold)])
    for column, pieces in enumerate(cells):
        sheet.write_rich_text(0, column, pieces)
    return saved(book)


def saved(book: xlwt.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize("large", [1 << 20, 1])
@pytest.mark.parametrize("write", [inline_strings, shared_strings, old_workbook, html, spreadsheetml])
def test_raised_digits_stay_apart(
    write: object, large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.readers.workbook.LARGE", large)
    path = tmp_path / "file"
    path.write_bytes(write())  # type: ignore[operator]
    table = read_tables(path)[0]
    assert table.head == SHOWN
    assert [list(cells) for cells in table.rows_below(0).rows()] == SHOWN


@pytest.mark.parametrize(
    ("text", "shown"),
    [("1", "¹"), ("12)", "¹²⁾"), ("1,2", "¹,²"), ("注1", "注1"), ("[1]", "[1]"), ("a", "a")],
)
def test_only_what_would_be_read_as_part_of_a_number_is_raised(text: str, shown: str) -> None:
    assert raised(text) == shown
