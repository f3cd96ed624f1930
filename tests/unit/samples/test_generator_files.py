"""Generated files through the real reader and the forms' own rules, without a database; and the truth about errors."""

import csv
import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from ingestion.checks import CheckContext, check
from ingestion.forms_catalogue import load_forms
from ingestion.reading import Reading, SourceContext, read_file
from samples.generator import KINDS, Options, Written, generate, write
from samples.generator.delivering import LANE_OF

CLEAN = Options(units=8, years=1, seed=5)
DAMAGED = Options(units=8, years=2, seed=5, errors=0.08)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    folder = tmp_path_factory.mktemp("clean")
    return folder, write(folder, CLEAN)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    folder = tmp_path_factory.mktemp("damaged")
    return folder, write(folder, DAMAGED)


def read(folder: Path, files: list[Path]) -> dict[str, list[Reading]]:
    catalogue = load_forms()
    found = {}
    for path in files:
        lane, _, name = path.relative_to(folder / "inbox").as_posix().partition("/")
        source = SourceContext(lane, None if lane in ("hospital", "nursery") else "990100")
        found[f"{lane}/{name}"] = read_file(path, name=name, catalogue=catalogue, source=source)
    return found


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "truth" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(folder: Path) -> dict[str, tuple[str, float]]:
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_options_give_the_same_bytes_and_times(clean: tuple[Path, Written], tmp_path: Path) -> None:
    write(tmp_path, CLEAN)
    assert digests(tmp_path) == digests(clean[0])


def test_clean_reports_are_read_as_their_forms_and_break_no_rule(clean: tuple[Path, Written]) -> None:
    folder, written = clean
    reports = 0
    for name, readings in read(folder, written.files).items():
        assert {reading.form.code for reading in readings} == {name.split("/")[1]}
        findings = [f for r in readings for f in [*r.findings, *check(r, CheckContext())]]
        assert [(name, finding) for finding in findings] == []
        reports += sum(reading.reports.height for reading in readings)
    amended = Counter(row["what"] for row in table(folder, "story.csv"))["amended"]
    # Lines of persons are read when they are taken in.
    assert reports == written.reports - written.of_persons + amended
    assert written.of_persons == 12 + 12 + 4


def test_every_form_has_a_lane_and_every_format_occurs(clean: tuple[Path, Written]) -> None:
    assert {path.parts[-3] for path in clean[1].files} == set(LANE_OF)
    assert {path.suffix for path in clean[1].files} == {".xlsx", ".xls", ".csv", ".zip"}
    assert all("构造" in path.name for path in clean[1].files)


def test_each_kind_of_error_strikes_and_the_share_holds(damaged: tuple[Path, Written]) -> None:
    folder, written = damaged
    truth = table(folder, "truth.csv")
    struck = {(e["form"], e["subject"], e["period_start"], e["period_end"]): e["kind"] for e in truth}
    assert len(struck) == written.errors
    assert set(struck.values()) == set(KINDS)
    missing = sum(kind == "missing_unit" for kind in struck.values())
    assert written.errors / (written.reports + missing) == pytest.approx(DAMAGED.errors, rel=0.1)


def test_files_hold_what_the_truth_says_and_the_rest_is_clean(damaged: tuple[Path, Written]) -> None:
    folder, _ = damaged
    _, forms, _ = generate(replace(DAMAGED, errors=0.0))
    truth = [row for row in table(folder, "truth.csv") if row["form"] == "hosp_monthly"]
    cells = {(e["subject"], e["period_start"], e["field"]): e for e in truth if e["field"]}
    whole = {(e["subject"], e["period_start"]): e["kind"] for e in truth if not e["field"]}
    monthly = next(one for one in forms if one.form == "hosp_monthly")
    before = {(r["subject"], str(r["start"])): r for r in monthly.frame.iter_rows(named=True)}
    after = final_reports(folder)
    assert {key for key, kind in whole.items() if kind == "missing_unit"} == set(before) - set(after)
    for key, record in after.items():
        for field in monthly.measures:
            was, now = before[key][field], record.get(field)
            if (*key, field) in cells:
                error = cells[*key, field]
                assert (number(error["before"]), number(error["after"])) == (was, now)
                assert was != now
            elif key not in whole:
                assert was == now, (key, field)
    assert {"duplicated_month", "stale_copy", "missing_unit"} == set(whole.values())


def number(text: str) -> float | None:
    return float(text) if text else None


def final_reports(folder: Path) -> dict[tuple[str, str], dict[str, object]]:
    """The last record of each monthly report, by unit and month; money in thousand yuan as the form prints it."""
    files = sorted(
        (folder / "inbox/hospital/hosp_monthly").rglob("*.*"), key=lambda path: path.stat().st_mtime
    )
    found: dict[tuple[str, str], dict[str, object]] = {}
    for readings in read(folder, [path for path in files if path.is_file()]).values():
        for reading in readings:
            rows = reading.records.join(
                reading.reports.select("report_no", "subject_ref", "period_start"), on="report_no"
            )
            for row in rows.iter_rows(named=True):
                found[row["subject_ref"], str(row["period_start"])] = row
    return found


def test_the_sources_of_births_agree_in_every_district() -> None:
    _, forms, _ = generate(Options(units=6, years=1, seed=9))
    frame = {one.form: one.frame for one in forms}
    delivered = (
        frame["newborn_screening_monthly"].group_by("place").agg(pl.col("live_births_at_hospital").sum())
    )
    first_doses = frame["epi_monthly"].filter((pl.col("vaccine") == "HepB") & (pl.col("dose_no") == "1"))
    given = first_doses.group_by("place").agg(pl.col("given_basic").sum())
    quarters = frame["mch_maternal_quarterly"].filter(pl.col("start").dt.year() == 2025)
    born = quarters.group_by("place").agg(pl.col("live_births").sum())
    together = born.join(delivered, on="place").join(given, on="place")
    assert together.height == 3
    for _, births, at_hospital, doses in together.iter_rows():
        assert at_hospital == births
        assert doses == pytest.approx(births, rel=0.05)


def test_a_large_prefecture_has_openings_and_closings_within_a_single_year() -> None:
    _, forms, _ = generate(Options(units=60, years=1, seed=1))
    monthly = next(one.frame for one in forms if one.form == "hosp_monthly")
    reports = monthly.group_by("subject").agg(pl.len().alias("months"))["months"]
    assert reports.max() == 12
    assert (reports < 12).any()
