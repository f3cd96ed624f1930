"""A file read through its form: reports, typed records, positions and findings."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path

import polars as pl

from ingestion.bodies import carried_down
from ingestion.content import add_content_hash
from ingestion.errors import UnrecognisedFile
from ingestion.findings import Finding
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.grids import FEW
from ingestion.heads import constant
from ingestion.label_index import index_of
from ingestion.layout import Recognised, nearest_forms, recognise
from ingestion.readers import Table, read_contents
from ingestion.repetition import gaps, repeated
from ingestion.sections import sections_of
from ingestion.sheet import Sheet, read_sheet
from ingestion.workbooks.own_sheets import is_own

_IDENTITY = ("subject_ref", "period_start", "period_end")
_REPORTS = (
    "report_no",
    "subject_type",
    "subject_ref",
    "subject_name",
    "reporter_ref",
    "period_type",
    "period_start",
    "period_end",
    "content_hash",
    "record_count",
    "value_count",
    "nonzero_count",
    "sheet",
)


@dataclass(frozen=True)
class SourceContext:
    """What the lane a file came through says about files that do not say it themselves."""

    code: str = ""
    region_code: str | None = None
    reporter: str | None = None


@dataclass(frozen=True)
class Reading:
    """One recognised group of reports of a file: same form, edition, layout and part.

    ``reports``: report_no, subject_type, subject_ref (as printed), subject_name, reporter_ref,
    period_type, period_start, period_end, content_hash, record_count, value_count, nonzero_count, sheet.
    ``records``: report_no, record_no, the form's columns in raw order, null_reasons (JSON text),
    source_sheet, source_row, source_column.
    ``positions``: sheet, field_code, source_row, source_column.
    """

    form: Form
    edition: str
    layout: str
    part: str
    reports: pl.DataFrame
    records: pl.DataFrame
    positions: pl.DataFrame
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class UnreadCards(Reading):
    """A table of cards that was recognised and not read yet: see :mod:`ingestion.cards`, which reads it in batches."""

    table: Table | None = None
    found: Recognised | None = None
    file_name: str = ""

    def batches(self, size: int) -> Iterator[tuple[pl.DataFrame, int]]:
        """The rows below the labels, about ``size`` at a time, each with the spreadsheet row of its first."""
        if self.table is None or self.found is None:
            return
        first, last = self.found.header_row + 1, self.found.end_row
        for rows in self.table.batches(first, size):
            frame = rows if last is None else rows.head(max(0, last - first))
            if frame.height:
                yield carried_down(frame, self.table, self.found, first), first + 1
            first += rows.height


def read_file(
    path: Path, *, name: str | None = None, catalogue: Catalogue, source: SourceContext | None = None
) -> list[Reading]:
    """Read a file whatever its format and layout; tables of cards are only recognised (:class:`UnreadCards`).

    Raises UnreadableFile when its bytes are no table and UnrecognisedFile when no form is found in it.
    """
    name = name or path.name
    source = source or SourceContext()
    contents = read_contents(path, name)
    tables = [table for table in contents.tables if not is_own(table)]
    found: list[tuple[Table, Recognised]] = []
    strange: list[Table] = []
    for table in tables:
        recognised = recognise(table, catalogue, table.file_name or name)
        if recognised and recognised.form.cards:
            found.append((table, recognised))
        elif recognised:
            found += [(table, one) for one in sections_of(table, recognised, index_of(catalogue))]
        elif not table.is_blank:
            strange.append(table)
    if not found:
        raise _unrecognised(name, strange, catalogue)
    groups: dict[tuple[str, str, str], list[Sheet]] = {}
    cards: list[Reading] = []
    for table, recognised in found:
        if recognised.form.cards:
            cards.append(_unread(table, recognised, table.file_name or name))
            continue
        key = (recognised.form.code, recognised.layout.code, recognised.part)
        sheet = read_sheet(
            table,
            recognised,
            index_of(catalogue),
            file_name=table.file_name or name,
            region_code=source.region_code,
            reporter=source.reporter,
        )
        groups.setdefault(key, []).append(sheet)
    readings = [
        reading
        for (_, layout, part), sheets in groups.items()
        for reading in _combine(sheets[0].form, layout, part, sheets)
    ]
    readings += cards
    if (
        not cards
        and all(reading.reports.is_empty() for reading in readings)
        and not any(finding.severity == "hard" for reading in readings for finding in reading.findings)
    ):
        raise _without_records(name, found)
    readings[0].findings.extend(contents.findings)
    for table in {id(table): table for table, one in found if not one.form.cards}.values():
        readings[0].findings.extend(table.told.values())
    for table in strange:
        readings[0].findings.append(
            Finding(
                rule_id="SHEET_UNRECOGNISED",
                level="file",
                severity="soft",
                message_zh=f"工作表“{table.sheet}”没有认出是哪种报表，未读取；如是报表请核对表头",
                message_en=f"sheet {table.sheet!r} shows no known form and was not read",
                sheet=table.sheet,
            )
        )
    return readings


def _unread(table: Table, found: Recognised, file_name: str) -> UnreadCards:
    nothing = pl.DataFrame()
    return UnreadCards(
        found.form,
        "",
        found.layout.code,
        "",
        nothing,
        nothing,
        nothing,
        table=table,
        found=found,
        file_name=file_name,
    )


def _without_records(name: str, found: list[tuple[Table, Recognised]]) -> UnrecognisedFile:
    forms = list(dict.fromkeys(one.form for _, one in found))
    return UnrecognisedFile(
        f"{name} has the labels of {', '.join(form.code for form in forms)}, and no record below them.",
        message_zh=f"文件“{name}”的表头是“{'”“'.join(form.name_zh for form in forms)}”，但表头之下没有数据，"
        "也看不出是哪个单位、哪一期；请在表头之下填写数据，确无数据的也请写明单位和统计期。",
        mend="Fill in records below the labels; where there are none, at least the unit and the period.",
        file=name,
    )


def _unrecognised(name: str, tables: list[Table], catalogue: Catalogue) -> UnrecognisedFile:
    likely = next((names for table in tables if (names := nearest_forms(table, catalogue))), [])
    hint_zh = f"最接近的是：{'、'.join(likely)}。" if likely else ""
    hint_en = f" Nearest: {', '.join(likely)}." if likely else ""
    blank = "没有内容" if not tables else "的表头与已知的任何报表都不相符"
    return UnrecognisedFile(
        f"{name} shows no known report form.{hint_en}",
        message_zh=f"文件“{name}”{blank}。{hint_zh}请使用下发的报表模板，保留原有表头。",
        mend="Use the form's template and keep its labels.",
        file=name,
    )


def _combine(form: Form, layout: str, part: str, sheets: list[Sheet]) -> Iterator[Reading]:
    """Sheets of one form become reports: numbered, hashed, checked for repetition, split by edition."""
    heads, rows, findings = _numbered(sheets)
    positions = pl.concat([sheet.positions for sheet in sheets], how="vertical")
    if heads["report_no"].n_unique() < heads.height:
        heads = heads.unique("report_no", keep="first", maintain_order=True)
    counts = Counter(rows["report_no"]) if rows.height <= FEW else _counts(rows)
    reports = _without_place(heads).hstack(
        [pl.Series("record_count", [counts.get(number, 0) for number in heads["report_no"]], dtype=pl.Int64)]
    )
    findings += repeated(form, rows, reports, wide=form.rows_are_reports(layout))
    findings += gaps(form, reports)
    records, reports = add_content_hash(form, rows, reports)
    told = {
        "subject_type": constant("subject_type", form.subject.type, pl.String(), reports.height),
        "period_type": constant("period_type", form.period.type, pl.String(), reports.height),
        "sheet": reports.get_column("source_sheet").alias("sheet"),
    }
    reports = pl.DataFrame([told[name] if name in told else reports.get_column(name) for name in _REPORTS])
    yield from _by_edition(Reading(form, "", layout, part, reports, records, positions, findings))


def _counts(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows["report_no"].value_counts().iter_rows())


def _numbered(sheets: list[Sheet]) -> tuple[pl.DataFrame, pl.DataFrame, list[Finding]]:
    """Heads, records and findings of all sheets with the number of their report in place of their own place."""
    heads, rows, findings = [], [], []
    for sheet, mine in zip(sheets, _numbers(sheets), strict=True):
        head = sheet.heads.hstack([mine])
        heads.append(head)
        if head.height == sheet.rows.height:
            rows.append(sheet.rows.hstack([mine]))
        else:
            of_place = head.select("place", "report_no")
            rows.append(sheet.rows.join(of_place, on="place", how="inner", maintain_order="left"))
        if any(finding.report_no is not None for finding in sheet.findings):
            of = dict(head.select("place", "report_no").iter_rows())
            findings += [
                replace(finding, report_no=of[finding.report_no])
                if finding.report_no is not None
                else finding
                for finding in sheet.findings
                if finding.report_no is None or finding.report_no in of
            ]
        else:
            findings += sheet.findings
    return pl.concat(heads), _without_place(pl.concat(rows)), findings


def _numbers(sheets: list[Sheet]) -> list[pl.Series]:
    """Number of the report of each head, by the order in which reports are first met."""
    if sum(sheet.heads.height for sheet in sheets) > FEW:
        keys = pl.concat([sheet.heads.select(_IDENTITY) for sheet in sheets])
        reports = keys.unique(maintain_order=True).with_row_index("report_no", offset=1)
        found = keys.join(reports, on=_IDENTITY, how="left", nulls_equal=True, maintain_order="left")
        column = found["report_no"].cast(pl.Int64)
        ends = list(accumulate(sheet.heads.height for sheet in sheets))
        return [column[end - sheet.heads.height : end] for end, sheet in zip(ends, sheets, strict=True)]
    numbers: dict[tuple[object, ...], int] = {}
    return [
        pl.Series(
            "report_no",
            [
                numbers.setdefault(key, len(numbers) + 1)
                for key in zip(*(sheet.heads[name].to_list() for name in _IDENTITY), strict=True)
            ],
            dtype=pl.Int64,
        )
        for sheet in sheets
    ]


def _without_place(frame: pl.DataFrame) -> pl.DataFrame:
    # Frames are put together from columns: an expression costs a small file more than the rest of its reading.
    return pl.DataFrame([column for column in frame.get_columns() if column.name != "place"])


def _by_edition(reading: Reading) -> Iterator[Reading]:
    """Split a reading whose periods belong to several editions of the form."""
    form = reading.form
    editions: dict[dt.date, str] = {}
    starts = reading.reports["period_start"].to_list()
    for start in dict.fromkeys(starts):
        edition = form.edition_at(start)
        editions[start] = edition.code if edition else ""
    for number, start in zip(reading.reports["report_no"].to_list(), starts, strict=True):
        if not editions[start]:
            reading.findings.append(
                Finding(
                    rule_id="EDITION_UNKNOWN",
                    level="report",
                    severity="hard",
                    message_zh=f"“{form.name_zh}”没有适用于{start}的版本；请核对统计期",
                    message_en=f"no edition of {form.code} is valid on {start}; check the period",
                    report_no=number,
                )
            )
    codes = list(dict.fromkeys(editions.values())) or [form.editions[-1].code]
    if len(codes) == 1:
        yield replace(reading, edition=codes[0] or form.editions[0].code)
        return
    for code in codes:
        mine_start = [start for start, edition in editions.items() if edition == code]
        reports = reading.reports.filter(pl.col("period_start").is_in(mine_start))
        numbers = set(reports["report_no"])
        mine = [
            f
            for f in reading.findings
            if f.report_no in numbers or (f.report_no is None and code == codes[0])
        ]
        yield replace(
            reading,
            edition=code or form.editions[0].code,
            reports=reports,
            records=reading.records.join(reports, on="report_no", how="semi", maintain_order="left"),
            findings=mine,
        )
