"""Many small files, one large workbook, and an inbox in which nothing is new.

Each beside what bounds it: the workbooks merely opened, the large one merely read by calamine and by fastexcel, and
the inbox merely listed.
"""

import os
import resource
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import fastexcel
import openpyxl
import polars as pl
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from ingestion import inbox, intake
from ingestion.forms_catalogue import load_forms
from ingestion.site import Source, load_site
from ingestion.taken import TAKEN
from tests.benchmarks import generate
from tests.benchmarks.measure import Ratio, best
from warehouse.database import Role, make_engine
from warehouse.settings import Settings

UNITS, MONTHS, COLUMNS = 50, 40, 40
WORKBOOK_ROWS, WORKBOOK_MEASURES, DEPARTMENTS = 50_000, 10, 834
OLD_FILES = (1_000, 10_000, 100_000)
NEW_FILES = 10

_FORM = """
code: bench_workbook
name_zh: 构造的分科月报表
name_en: Constructed monthly report by department in one workbook
subject: {type: organization, identify_by: [organization_code], name: org_name}
period: {type: month, fields: [report_month]}
editions: [{code: "2010", name_zh: 2010版, valid_from: 2010-01-01}]
fields:
  - {code: organization_code, labels: [机构编码], type: code, role: identity}
  - {code: org_name, labels: [机构名称], type: text, role: identity}
  - {code: report_month, labels: [统计年月], type: date, role: identity}
  - {code: department, labels: [科室代码], type: code, role: breakdown}
  - {code: remark, labels: [备注], type: text, role: attribute}
"""


def run(settings: Settings) -> list[Ratio]:
    """Small workbooks a second, the large workbook, and the looks into an inbox."""
    settings = generate.prepare(settings, "bench_workbook", _FORM, WORKBOOK_MEASURES, UNITS)
    return [*_small(settings), *_large(settings), *_nothing_new(settings)]


def _source(settings: Settings) -> Source:
    return load_site(settings).sources[0]


# Many small files


def _small(settings: Settings) -> list[Ratio]:
    reports = generate.monthly_reports(UNITS, generate.months_of(2010, 2010 + MONTHS // 12)[:MONTHS])
    folder = settings.inbox / "hospital"
    write_workbooks(settings, reports, folder)
    files = inbox.waiting(settings, _source(settings))
    opening = best(lambda: [_read_by_calamine(Path(file.url)) for file in files], 1)
    (ours, cpu), result = _timed(lambda: intake.take_in(settings, _source(settings), files))
    assert result.reports == {"new": len(files)}, result.summary()
    shutil.rmtree(folder)
    note = f"({len(files) / ours:,.0f} files/s, {cpu / len(files) * 1000:.1f} ms of a core each)"
    return [
        Ratio(
            f"{len(files):,} workbooks of one report, calamine merely opens",
            ours,
            opening,
            "100 files/s",
            note,
        )
    ]


def write_workbooks(settings: Settings, reports: pl.DataFrame, folder: Path) -> None:
    """A workbook for each row of reports, with all ``COLUMNS`` columns of the form and a title."""
    form = load_forms(settings)[generate.FORM]
    folder.mkdir(parents=True, exist_ok=True)
    absent = [field.code for field in form.fields if field.code not in reports.columns]
    codes = [*reports.columns, *absent][:COLUMNS]
    head = [form.by_code[code].labels[0] for code in codes]
    began = time.time() - len(reports) - 3600
    for number, row in enumerate(reports.sort("report_month", "organization_code").iter_rows(named=True)):
        book = openpyxl.Workbook()
        book.active.append([form.name_zh])
        book.active.append(head)
        book.active.append([row.get(code) for code in codes])
        path = folder / f"{row['report_month']}_{row['organization_code']}.xlsx"
        book.save(path)
        os.utime(path, (began + number, began + number))


# One large workbook


def _large(settings: Settings) -> list[Ratio]:
    tries = [_write_large(settings, year) for year in (2015, 2016, 2017)]
    calamine = best(lambda: _read_by_calamine(tries[0]), 3)
    fast = best(lambda: fastexcel.read_excel(tries[0]).load_sheet(0, header_row=None).to_polars(), 3)
    # Once before, so that the process that reads is up, as it is after the first file of a night.
    intake.check(settings, tries[0], _source(settings))
    checked = best(lambda: intake.check(settings, tries[0], _source(settings)), 1)
    timed = []
    for file in tries:
        (seconds, cpu), result = _timed(
            lambda file=file: intake.take_in(settings, _source(settings), inbox.given([file]))
        )
        assert set(result.reports) == {"new"}, result.summary()
        timed.append((seconds, cpu))
        file.unlink()
    ours, cpu = min(timed)
    with make_engine(settings, Role.OWNER).connect() as connection:
        counted = connection.scalar(text("select count(*) from raw.bench_workbook"))
    assert counted == len(tries) * WORKBOOK_ROWS, counted
    what = f"workbook of {WORKBOOK_ROWS:,} rows into raw"
    note = f"({WORKBOOK_ROWS / ours:,.0f} rows/s, {cpu:.1f} s of a core; checked without writing {checked:.1f} s)"
    return [
        Ratio(f"{what}, calamine merely reads", ours, calamine, "1.3", note),
        Ratio(f"{what}, fastexcel merely reads", ours, fast, "1.3"),
    ]


def _write_large(settings: Settings, year: int) -> Path:
    form = load_forms(settings)["bench_workbook"]
    path = settings.home / f"large-{year}.xlsx"
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("月报")
    sheet.append([field.labels[0] for field in form.fields])
    months = generate.months_of(year, year)
    for number in range(WORKBOOK_ROWS):
        report, department = divmod(number, DEPARTMENTS)
        unit, month = divmod(report, len(months))
        measures = [number * (n + 3) % 100_000 for n in range(WORKBOOK_MEASURES)]
        named = [f"U{unit:04}", f"构造医院{unit:04}", f"{months[month]:%Y-%m}", f"D{department}", "构造"]
        sheet.append([*named, *measures])
    book.save(path)
    return path


def _read_by_calamine(path: Path) -> object:
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


# Nothing new


def _nothing_new(settings: Settings) -> list[Ratio]:
    """Looks into an inbox through which ever more files went, beside a listing of these files."""
    source = _source(settings)
    folder = settings.inbox / "hospital"
    ratios = []
    written = 0
    for number in OLD_FILES:
        _write_old(settings, source, folder, range(written, number))
        written = number
        # As after years of nights: the look finds them registered, and they leave.
        inbox.waiting(settings, source)
        taken = [path for path in (folder / TAKEN).iterdir() if path.is_dir()]
        listing = best(lambda: [entry.stat().st_size for day in taken for entry in os.scandir(day)], 3)  # noqa: B023
        idle = best(lambda: inbox.waiting(settings, source), 3)
        assert inbox.waiting(settings, source) == []
        new = [folder / f"new-{one}.csv" for one in range(NEW_FILES)]
        for path in new:
            path.write_text("neu")
        seconds = best(lambda: inbox.waiting(settings, source), 3)
        assert len(inbox.waiting(settings, source)) == NEW_FILES
        for path in new:
            path.unlink()
        what = f"inbox through which {number:,} files went"
        ratios.append(Ratio(f"{what}, nothing new; merely listing these", idle, listing, "not growing"))
        ratios.append(
            Ratio(f"{what}, {NEW_FILES} new; merely listing these", seconds, listing, "not growing")
        )
    return ratios


def _write_old(settings: Settings, source: Source, folder: Path, numbers: range) -> None:
    """Files that lie there and are registered."""
    moment = date(2015, 1, 1).toordinal() * 60
    folder.mkdir(exist_ok=True)
    for one in numbers:
        path = folder / f"{one % 12 + 1:02}_U{one:06}.csv"
        path.touch()
        os.utime(path, (moment + one, moment + one))
    with make_engine(settings, Role.OWNER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.file (sha256, size_bytes, stored_path)"
                " values (repeat('0', 64), 0, 'none') on conflict do nothing"
            )
        )
        connection.execute(
            text(
                "insert into registry.arrival (file_id, source_code, file_name, received_at, status)"
                " select f.file_id, :source, i.name, to_timestamp(i.moment), 'taken_in'"
                " from registry.file as f,"
                " unnest(cast(:names as text[]), cast(:moments as float8[])) as i (name, moment)"
                " where f.sha256 = repeat('0', 64) and not exists"
                " (select from registry.arrival as a where a.source_code = :source and a.file_name = i.name)"
            ),
            {
                "source": source.code,
                "names": [entry.name for entry in os.scandir(folder) if entry.is_file()],
                "moments": [entry.stat().st_mtime for entry in os.scandir(folder) if entry.is_file()],
            },
        )
    with (
        make_engine(settings, Role.OWNER)
        .connect()
        .execution_options(isolation_level="AUTOCOMMIT") as connection
    ):
        connection.execute(text("vacuum analyze registry.arrival"))


def _timed(action: Callable[[], intake.IntakeResult]) -> tuple[tuple[float, float], intake.IntakeResult]:
    """Seconds of the clock and of all cores: of this process, and of those that read for it."""
    started, used = time.perf_counter(), _cpu()
    result = action()
    return (time.perf_counter() - started, _cpu() - used), result


def _cpu() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    seconds = own.ru_utime + own.ru_stime
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds
