"""The blank workbook of every form is read back exactly as it was filled in."""

import datetime as dt
import html
import io
import random
import re
import zipfile
from functools import cache
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from ingestion import directory, units
from ingestion.cards.batch import BatchReader
from ingestion.cards.hashing import Hasher
from ingestion.cards.ledger import Ledger
from ingestion.errors import UnrecognisedFile
from ingestion.form import Form, FormField, period_bounds
from ingestion.forms_catalogue import load_forms
from ingestion.periods import Span
from ingestion.placing import Lane
from ingestion.reading import SourceContext, UnreadCards, read_file
from ingestion.workbooks.plan import Unit, period_text
from ingestion.workbooks.template import REPORTER, Blank, write_template
from ingestion.workbooks.validations import list_word

FORMS = load_forms()
UNITS = (Unit("T-1", "构造甲医院"), Unit("T-2", "构造乙医院"))
REGIONS = ("440507", "440513", "440514")
CITIZEN_NUMBERS = ("11010519491231002X", "440524188001010014")
SOCIAL_CREDIT = "91350100M000100Y43"
WORDS = "构造数据甲乙丙丁春夏秋冬"

every_form = pytest.mark.parametrize("code", list(FORMS))
every_form_of_cards = pytest.mark.parametrize("code", [code for code, form in FORMS.items() if form.cards])
every_statistical_form = pytest.mark.parametrize(
    "code", [code for code, form in FORMS.items() if not form.cards]
)


def span_of(form: Form) -> Span:
    """A period of the newest edition."""
    edition = form.editions[-1]
    year = max(2014, (edition.valid_from or dt.date(2000, 1, 1)).year + 1)
    if edition.valid_to:
        year = min(year, edition.valid_to.year - 1)
    if form.period.type == "event":
        return Span(dt.date(year, 3, 1), dt.date(year, 3, 31))
    return Span(*period_bounds(form.period.type, year, 2))


@cache
def written(code: str) -> tuple[bytes, Blank]:
    """A form's blank workbook for a period, written once."""
    content = io.BytesIO()
    blank = write_template(FORMS[code], content, period=span_of(FORMS[code]))
    return content.getvalue(), blank


def value_for(  # noqa: PLR0911 - one line a kind
    form: Form, item: FormField, rnd: random.Random, span: Span
) -> tuple[object, object]:
    """What is typed into a cell, and what must be read of it."""
    if item.format == "citizen_number":
        value = rnd.choice(CITIZEN_NUMBERS)
        return value, value
    if item.format == "uscc":
        return SOCIAL_CREDIT, SOCIAL_CREDIT
    if item.format == "icd10":
        return "J18.900", "J18.900"
    if item.code_list:
        codes = form.code_lists[item.code_list]
        valid = [code.code for code in codes.codes if code.overlaps(span.start, span.end)]
        code = rnd.choice(valid)
        return list_word(codes, code), code
    if item.type == "int":
        number = rnd.choice([0, rnd.randrange(10**7), *([-rnd.randrange(9)] if item.negative else [])])
        return number, number
    if item.type == "dec":
        decimal = round(rnd.uniform(0, 90), rnd.randrange(4))
        return decimal, decimal
    if item.type == "flag":
        flag = rnd.random() < 0.5
        return "是" if flag else "否", flag
    day = span.start + dt.timedelta(days=rnd.randrange((span.end - span.start).days + 1))
    if item.type == "date":
        return day, day
    if item.type == "datetime":
        moment = dt.datetime.combine(day, dt.time(rnd.randrange(24), rnd.randrange(60)))
        return moment, moment
    if form.cards and item.code in form.cards.key:
        text = f"0{rnd.randrange(10**6)}"
        return text, text
    text = "".join(rnd.choices(WORDS, k=4))
    return (text, text) if item.type == "text" else (f"0{rnd.randrange(10**6)}", None)


def subject_value(form: Form, item: FormField) -> str:
    """How the one subject of these tests is written."""
    if item.format == "uscc" or "uscc" in item.code:
        return SOCIAL_CREDIT
    if form.subject.type == "region" and item.code == form.subject.identify_by[0]:
        return REGIONS[0]
    return "构造区" if item.type == "text" else "T-1"


def fill_above(sheet: Worksheet, blank: Blank) -> None:
    """Fill in what stands above the table."""
    form, span = blank.form, span_of(blank.form)
    if blank.period_cell:
        sheet[blank.period_cell] = period_text(form, span)
    if blank.reporter_cell:
        assert sheet[blank.reporter_cell].value == REPORTER
        sheet[blank.reporter_cell] = f"{REPORTER}T-9"
    for code, cell in blank.above.items():
        if cell != blank.period_cell:
            sheet[cell] = subject_value(form, form.by_code[code])


def fill(path: Path, blank: Blank, rnd: random.Random) -> list[dict[str, object]]:
    """Fill a template in with two subjects, units or cards; returns what must be read, row by row."""
    form, span = blank.form, span_of(blank.form)
    book = openpyxl.load_workbook(path)
    sheet = book[blank.sheets[0]]
    fill_above(sheet, blank)
    expected = []
    for number, row in enumerate(blank.rows if blank.members else blank.rows[:3]):
        record: dict[str, object] = {}
        if blank.members:
            record.update(zip((f.code for f in form.breakdowns), blank.members[row], strict=True))
        for code, column in blank.columns.items():
            item = form.by_code[code]
            if code in record:
                continue
            typed, read = value_for(form, item, rnd, span)
            if code in form.period.fields:
                typed, read = span.end.year if item.type == "int" else period_text(form, span), None
            elif item.role == "identity" and (code in form.subject.identify_by or code == form.subject.name):
                region = form.subject.type == "region" and item.type == "code"
                typed = REGIONS[number] if region else f"T-{number}"
                if form.cards:
                    typed = subject_value(form, item)
                read = None
            elif item.role == "measure" and form.special_values and rnd.random() < 0.1:
                typed, read = next(iter(form.special_values)), None
                record[code] = None
            sheet.cell(row, column, typed)
            if item.role != "identity" and not item.personal:
                record[code] = typed if item.type == "code" and not item.code_list else read
        expected.append(record)
    book.save(path)
    return expected


@every_statistical_form
@settings(
    max_examples=2,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_a_filled_template_is_read_back_exactly(code: str, tmp_path: Path, seed: int):
    form = FORMS[code]
    path = tmp_path / "报表.xlsx"
    content, blank = written(code)
    path.write_bytes(content)
    expected = fill(path, blank, random.Random(seed))  # noqa: S311 - made-up numbers
    readings = read_file(path, catalogue=FORMS)
    assert [reading.form.code for reading in readings] == [code]
    (reading,) = readings
    assert reading.findings == []
    assert reading.edition == blank.edition.code
    compared = [name for name in expected[0] if name in reading.records.columns]
    assert len(compared) == len(expected[0])
    assert reading.records.select(compared).rows(named=True) == expected
    if not form.cards:
        span = span_of(form)
        assert set(reading.reports["period_start"]) == {span.start}
        assert set(reading.reports["period_end"]) == {span.end}
        assert set(reading.reports["reporter_ref"]) == {"T-9"}
        assert reading.reports.height == (1 if blank.members else 3)


def values_read(path: Path, code: str) -> int:
    """How many values the intake finds in a blank workbook; cards it has not read yet."""
    try:
        readings = read_file(path, catalogue=FORMS)
    except UnrecognisedFile:
        return 0
    assert {reading.form.code for reading in readings} == {code}
    return sum(reading.reports["value_count"].sum() for reading in readings if not FORMS[code].cards)


@every_form
def test_a_spreadsheet_program_opens_a_template_and_nobodys_numbers_are_in_it(code: str, tmp_path: Path):
    content, blank = written(code)
    path = tmp_path / "空表.xlsx"
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        pages = [
            archive.read(f"xl/worksheets/sheet{n}.xml").decode() for n in range(1, len(blank.sheets) + 1)
        ]
        titles = re.findall(r'<sheet [^>]*name="([^"]*)"', archive.read("xl/workbook.xml").decode())
    assert titles[: len(blank.sheets)] == list(blank.sheets)
    for xml in pages:
        checks = re.search(r"<dataValidations.*</dataValidations>", xml, re.DOTALL)
        assert checks
        places = [place for places in re.findall(r' sqref="([^"]+)"', checks[0]) for place in places.split()]
        assert len(places) == len(set(places))
        assert all(len(formula) <= 255 for formula in re.findall(r"<formula1>(.*?)</formula1>", checks[0]))
        assert all(
            len(html.unescape(text)) <= 255 for text in re.findall(r' (?:prompt|error)="([^"]*)"', checks[0])
        )
        assert all(
            len(html.unescape(text)) <= 32 for text in re.findall(r' promptTitle="([^"]*)"', checks[0])
        )
        (guard,) = re.findall(r"<sheetProtection [^>]*>", xml)
        assert 'sheet="1"' in guard
        assert "password" not in guard
        assert "<pane " in xml
    assert values_read(path, code) == 0


@pytest.mark.parametrize(
    ("code", "sheets"), [("hosp_monthly", 1), ("idr_monthly", 1), ("mch_maternal_annual", 1)]
)
def test_units_that_are_known_are_written_into_the_template(code: str, sheets: int, tmp_path: Path):
    form = FORMS[code]
    units = UNITS if form.subject.type == "organization" else (Unit(REGIONS[0]),)
    blank = write_template(form, tmp_path / "空表.xlsx", units=units, rows=len(units))
    assert len(blank.sheets) == sheets
    book = openpyxl.load_workbook(tmp_path / "空表.xlsx")
    said = {cell.value for row in book[blank.sheets[0]].iter_rows() for cell in row}
    assert {unit.code for unit in units} <= said
    assert len(blank.rows) == (len(blank.members) or len(units))


def test_with_breakdowns_each_unit_has_a_sheet_of_its_own(tmp_path: Path):
    blank = write_template(FORMS["idr_monthly"], tmp_path / "空表.xlsx", units=[Unit(one) for one in REGIONS])
    assert blank.sheets == REGIONS
    book = openpyxl.load_workbook(tmp_path / "空表.xlsx")
    assert [book[name][blank.above["region_code"]].value for name in REGIONS] == list(REGIONS)


def one_unit() -> Lane:
    """A lane whose directory knows the one unit of these tests."""
    versions = pl.DataFrame(
        {
            "organization_key": [1],
            "organization_code": ["T-1"],
            "valid_from": [dt.date(1990, 1, 1)],
            "valid_to": [dt.date(9999, 12, 31)],
            "is_open": [True],
            **{name: [None] for name in directory.ATTRIBUTES},
            **{name: [False] for name in directory.FLAGS},
        },
        schema={
            "organization_key": pl.Int32,
            "organization_code": pl.String,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
            "is_open": pl.Boolean,
            **dict.fromkeys(directory.ATTRIBUTES, pl.String),
            **dict.fromkeys(directory.FLAGS, pl.Boolean),
        },
    ).with_columns(pl.lit(SOCIAL_CREDIT).alias("uscc"), pl.lit("构造区").alias("name_zh"))
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
    return Lane(FORMS, SourceContext("test", REGIONS[0]), versions, units.identifiers(versions), duties, ())


@every_form_of_cards
def test_cards_in_a_template_are_read_back_exactly(code: str, tmp_path: Path):
    form = FORMS[code]
    path = tmp_path / "卡片.xlsx"
    content, blank = written(code)
    path.write_bytes(content)
    expected = fill(path, blank, random.Random(code))  # noqa: S311 - made-up cards
    (unread,) = read_file(path, catalogue=FORMS)
    assert isinstance(unread, UnreadCards)
    assert unread.form.code == code
    assert unread.table is not None
    assert unread.found is not None
    assert {column.code for column in unread.found.fields} == set(blank.columns)
    ledger = Ledger(100)
    lane, hasher = one_unit(), Hasher(b"a key of the test" * 2)
    reader = BatchReader(
        unread.found,
        unread.table.sheet,
        lane,
        ledger,
        hasher,
        file_name=path.name,
        received_on=span_of(form).end + dt.timedelta(days=1),
    )
    first = unread.found.header_row + 1
    records = pl.concat(reader.read(frame, first + 1).records for frame in unread.table.batches(first, 9999))
    compared = [name for name in expected[0] if name in records.columns]
    assert len(compared) > 5
    assert records.select(compared).rows(named=True) == [
        {name: record[name] for name in compared} for record in expected
    ]
    assert [finding for finding in ledger.findings if finding.level in ("file", "layout", "value")] == []
