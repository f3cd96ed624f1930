"""A million disease cards into raw, beside bare ``psql \\copy`` and dlt through Arrow of the same rows.

Ours finds out encoding and form, types and checks every cell, verifies check digits, hashes every person, recognises
content, keeps the file and says where each card stood. The others only bring the rows in.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
from sqlalchemy import text

from ingestion import directory, inbox, intake, raw
from ingestion.forms_catalogue import load_forms
from ingestion.site import load_site
from tests.benchmarks import generate
from tests.benchmarks.measure import Ratio
from warehouse import embedded
from warehouse.database import DATABASE, Role, engine, make_engine
from warehouse.secrets import password
from warehouse.settings import Settings, get_settings

CARDS = 1_000_000
TRIES = 3
FORM = "idr_card"
FIELDS = (
    "card_no", "card_category", "name", "id_no", "sex", "birth_date", "phone", "patient_belongs", "address_code",
    "occupation", "case_class_1", "onset_date", "diagnosis_time", "disease_code", "fill_date",
)  # fmt: skip
TYPES = {
    "date": "date",
    "datetime": "timestamp",
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def run(settings: Settings, cards: int = CARDS) -> list[Ratio]:
    """Seconds, and the memory that ours took at most."""
    generate.write_site(settings, 1)
    (settings.site / "sources.yml").write_text(
        "sources:\n  - {code: cdc, name_zh: 疾控中心, region_code: '440507'}\n"
    )
    raw.prepare(settings)
    directory.take_in(engine(Role.LOADER), load_site(settings))
    file = write_cards(settings.home / "cards.csv", cards)
    size = file.stat().st_size / 1e6
    tries = []
    for _ in range(TRIES):
        _empty(settings)
        tries.append(_ours(file, cards))
    ours, memory = min(seconds for seconds, _ in tries), max(peak for _, peak in tries)
    landed = _landed(settings)
    same = min(_same_rows(settings, landed) for _ in range(TRIES))
    bare = min(_bare(settings, file) for _ in range(TRIES))
    what = f"{cards:,} disease cards, {size:.0f} MB"
    note = f"({cards / ours:,.0f} cards/s, {memory:,.0f} MB)"
    ratios = [
        Ratio(f"{what}: psql \\copy of the rows that landed in raw", ours, same, "1.5", note),
        Ratio(f"{what}: psql \\copy of the file as it is", ours, bare, "1.5"),
    ]
    theirs = _dlt(settings, file)
    if theirs is not None:
        ratios.append(Ratio(f"{what}: dlt through Arrow", ours, theirs, f"{1 / 6:.2f}"))
    return ratios


def write_cards(path: Path, cards: int) -> Path:
    """Cards of as many constructed persons, each with a right number, under the form's own labels."""
    form = load_forms()[FORM]
    number = pl.col("n")
    born = pl.date(1935, 1, 1) + pl.duration(days=number * 7919 % 29_000)
    onset = pl.date(2015, 1, 1) + pl.duration(days=number % 360)
    frame = pl.DataFrame({"n": range(cards)}).with_columns(
        born=born, onset=onset, diagnosed=onset + pl.duration(days=number % 3), sex=1 + number % 2
    )
    # Every county code and order is taken once a birth date, so that no two persons are the same.
    frame = frame.with_columns(
        body=pl.format(
            "44{}{}{}",
            (number // 29_000 % 100 * 7 % 9000 + 1000).cast(pl.String),
            pl.col("born").dt.strftime("%Y%m%d"),
            (number // 29_000 * 2 % 1000 + pl.col("sex") % 2).cast(pl.String).str.zfill(3),
        )
    )
    total = pl.sum_horizontal(
        pl.col("body").str.slice(place, 1).cast(pl.Int32) * weight for place, weight in enumerate(_WEIGHTS)
    )
    surname = pl.lit("赵钱孙李周吴郑王").str.slice(number % 8, 1)
    columns = {
        "card_no": pl.format("44050720150{}", (number + 1_000_000).cast(pl.String)),
        "card_category": pl.lit("1"),
        "name": surname + pl.lit("构造"),
        "id_no": pl.col("body") + pl.lit("10X98765432").str.slice(total % 11, 1),
        "sex": pl.col("sex"),
        "birth_date": pl.col("born"),
        "phone": pl.format("138{}", number.cast(pl.String).str.zfill(8)),
        "patient_belongs": 1 + number % 4,
        "address_code": pl.format("44050700{}", 1 + number % 7),
        "occupation": (2 + number % 14).cast(pl.String).str.zfill(2).str.replace("03", "04"),
        "case_class_1": 1 + number % 2,
        "onset_date": pl.col("onset"),
        "diagnosis_time": pl.format("{} 08:{}", pl.col("diagnosed"), (10 + number % 50).cast(pl.String)),
        "disease_code": pl.lit("4000"),
        "fill_date": pl.col("diagnosed"),
    }
    frame.select(columns[code].alias(form.by_code[code].labels[0]) for code in FIELDS).write_csv(path)
    return path


def _ours(file: Path, cards: int) -> tuple[float, float]:
    """Seconds of the intake and megabytes of its processes at most, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.cards", str(file), str(cards)],
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["megabytes"]


def load(file: Path, cards: int) -> None:
    """Take the file in and print how long it took and how much memory at most."""
    settings = get_settings()
    source = load_site(settings).sources[0]
    # Once, however many files there are.
    load_forms(settings)
    started = time.perf_counter()
    result = intake.take_in(settings, source, inbox.given([file]), None)
    seconds = time.perf_counter() - started
    assert result.reports == {"new": 1}, result
    with make_engine(settings, Role.OWNER).connect() as connection:
        counted = connection.scalar(text(f"select count(*) from raw.{FORM} where set_aside is null"))
    assert counted == cards, counted
    print(json.dumps({"seconds": seconds, "megabytes": _most_memory()}))  # noqa: T201


def _most_memory() -> float:
    """Megabytes that this process and those it started, which idle by now, had at most, each for itself."""
    own = os.getpid()
    tasks = Path(f"/proc/{own}/task").iterdir()
    started = [child for task in tasks for child in (task / "children").read_text().split()]
    peaks = []
    for process in (own, *started):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return sum(peaks) * 1024 / 1e6


def _empty(settings: Settings) -> None:
    with make_engine(settings, Role.OWNER).begin() as connection:
        connection.execute(
            text(
                "truncate registry.file, registry.arrival, registry.report, registry.revision, registry.finding cascade"
            )
        )
        connection.execute(text(f"truncate raw.{FORM}"))
    with (
        make_engine(settings, Role.OWNER)
        .connect()
        .execution_options(isolation_level="AUTOCOMMIT") as connection
    ):
        connection.execute(text("checkpoint"))


def _psql(settings: Settings, *commands: str) -> None:
    server = embedded.locate(settings)
    subprocess.run(
        [
            str(server.binaries / "psql"), "-q", "-h", "127.0.0.1", "-p", str(server.port),
            "-U", embedded.SUPERUSER, "-d", DATABASE,
            *(part for command in commands for part in ("-c", command)),
        ],
        env={**os.environ, "PGPASSWORD": password(settings, Role.OWNER)},
        check=True,
    )  # fmt: skip


def _landed(settings: Settings) -> Path:
    """The rows that ours left in the raw table, as a file."""
    path = settings.home / "landed.csv"
    _psql(settings, f"\\copy raw.{FORM} to '{path}' with (format csv)")
    return path


def _same_rows(settings: Settings, landed: Path) -> float:
    """Seconds of a bare copy of these rows into the same table."""
    _psql(settings, f"truncate raw.{FORM}", "checkpoint")
    started = time.perf_counter()
    _psql(settings, f"\\copy raw.{FORM} from '{landed}' with (format csv)")
    return time.perf_counter() - started


def _bare(settings: Settings, file: Path) -> float:
    form = load_forms()[FORM]
    columns = ", ".join(f"{code} {TYPES.get(form.by_code[code].type, 'text')}" for code in FIELDS)
    _psql(
        settings,
        "set client_min_messages = warning",
        "drop table if exists public.bare",
        f"create table public.bare ({columns})",
        "checkpoint",
    )
    started = time.perf_counter()
    _psql(settings, f"\\copy public.bare from '{file}' with (format csv, header)")
    return time.perf_counter() - started


def _dlt(settings: Settings, file: Path) -> float | None:
    """dlt with Arrow tables and its fastest way into PostgreSQL; None where it is not installed."""
    try:
        import dlt
        from dlt.destinations import postgres
    except ImportError:
        return None
    from pyarrow import Table, csv

    server = embedded.locate(settings)
    secret = password(settings, Role.OWNER)
    url = f"postgresql://{embedded.SUPERUSER}:{secret}@127.0.0.1:{server.port}/{DATABASE}"
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    home = settings.home / "dlt"

    @dlt.resource(name="cards", write_disposition="replace")
    def cards():
        with csv.open_csv(file) as batches:
            for batch in batches:
                # Its names of columns have no Chinese.
                yield Table.from_batches([batch]).rename_columns(list(FIELDS))

    pipeline = dlt.pipeline(
        "bench", destination=postgres(url), dataset_name="dlt_cards", pipelines_dir=str(home)
    )
    started = time.perf_counter()
    pipeline.run(cards(), loader_file_format="csv")
    return time.perf_counter() - started


if __name__ == "__main__":
    load(Path(sys.argv[1]), int(sys.argv[2]))
