"""One million rows through the whole intake beside bare ``psql \\copy`` of the same file."""

import os
import subprocess
import time
from datetime import date
from pathlib import Path

import polars as pl
from sqlalchemy import text

from ingestion import inbox, intake
from ingestion.forms_catalogue import load_forms
from ingestion.site import load_site
from tests.benchmarks import generate
from tests.benchmarks.measure import Ratio
from warehouse import embedded
from warehouse.database import DATABASE, Role, make_engine
from warehouse.secrets import password
from warehouse.settings import Settings

UNITS, MONTHS, DEPARTMENTS = 100, 12, 834
MEASURES = 10

FORM = """
code: bench_department
name_zh: 构造的分科月报
name_en: Constructed monthly report by department
subject: {type: organization, identify_by: [organization_code]}
period: {type: month, fields: [report_month]}
editions: [{code: "2010", name_zh: 2010版, valid_from: 2010-01-01}]
layouts: [{code: table, kind: table}]
fields:
  - {code: organization_code, labels: [机构编码], type: code, role: identity}
  - {code: report_month, labels: [统计年月], type: date, role: identity}
  - {code: department, labels: [科室], type: code, role: breakdown}
"""


def run(settings: Settings) -> list[Ratio]:
    """Rows a second of the intake (read, checked, hashed, registered, copied) and of bare copying."""
    settings = generate.prepare(settings, "bench_department", FORM, MEASURES, UNITS)
    file = _write_file(settings)
    rows = UNITS * MONTHS * DEPARTMENTS

    source = load_site(settings).sources[0]
    started = time.perf_counter()
    result = intake.take_in(settings, source, inbox.given([file]), None)
    ours = time.perf_counter() - started
    assert result.reports == {"new": UNITS * MONTHS}, result
    with make_engine(settings, Role.OWNER).connect() as connection:
        assert connection.scalar(text("select count(*) from raw.bench_department")) == rows

    bare = _bare_copy(settings, file)
    note = f"({rows / ours:,.0f} rows/s)"
    return [Ratio(f"load of {rows:,} rows, psql \\copy", ours, bare, "1.5", note)]


def _write_file(settings: Settings) -> Path:
    form = load_forms(settings)["bench_department"]
    frame = (
        pl.DataFrame({"unit": range(UNITS)})
        .join(pl.DataFrame({"month": [date(2015, month, 1) for month in range(1, 13)]}), how="cross")
        .join(pl.DataFrame({"department": range(DEPARTMENTS)}), how="cross")
    )
    key = pl.col("unit") * 7919 + pl.col("month").dt.month() * 104729 + pl.col("department") * 31
    named = frame.select(
        pl.format("U{}", pl.col("unit").cast(pl.String).str.zfill(4)).alias(
            form.by_code["organization_code"].labels[0]
        ),
        pl.col("month").dt.strftime("%Y-%m").alias(form.by_code["report_month"].labels[0]),
        pl.format("D{}", pl.col("department")).alias(form.by_code["department"].labels[0]),
        *[(key * (n + 3) % 100_000).alias(form.by_code[f"m{n}"].labels[0]) for n in range(MEASURES)],
    )
    file = settings.inbox / "hospital" / "million.csv"
    file.parent.mkdir(parents=True)
    named.write_csv(file)
    return file


def _bare_copy(settings: Settings, file: Path) -> float:
    server = embedded.locate(settings)
    columns = ", ".join(f"m{number} bigint" for number in range(MEASURES))
    environment = {**os.environ, "PGPASSWORD": password(settings, Role.OWNER)}
    psql = [
        str(server.binaries / "psql"), "-q", "-h", "127.0.0.1", "-p", str(server.port),
        "-U", embedded.SUPERUSER, "-d", DATABASE,
    ]  # fmt: skip

    def execute(*commands: str) -> None:
        subprocess.run(
            [*psql, *(part for command in commands for part in ("-c", command))], env=environment, check=True
        )

    execute(f"create table public.bare (organization_code text, month text, department text, {columns})")
    started = time.perf_counter()
    execute(f"\\copy public.bare from '{file}' with (format csv, header)")
    return time.perf_counter() - started
