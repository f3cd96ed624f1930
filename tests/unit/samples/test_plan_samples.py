"""Reports behind the annual plans of Nantong and Hai'an: they keep every rule, and come on top of a sample."""

import csv
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from ingestion.checks import CheckContext, check
from ingestion.forms_catalogue import load_forms
from ingestion.reading import SourceContext, read_file
from samples import haian, longhu, nantong, progress

SEEDS = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds"
PLANS = pytest.mark.parametrize(
    ("plan", "code"), [(nantong, "nantong_2015"), (haian, "haian_2024")], ids=["nantong", "haian"]
)


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@PLANS
def test_the_plan_prints_no_result_that_reports_would_have_to_yield(plan: ModuleType, code: str) -> None:
    kinds = {row["kind"] for row in seed("plan_figure.csv") if row["plan_code"] == code}
    assert kinds == {"target", "mention"}
    assert plan.PLAN.region in {row["region_code"] for row in seed("plan.csv") if row["plan_code"] == code}


@PLANS
def test_every_task_stands_in_the_plan(plan: ModuleType, code: str) -> None:
    printed = {row["indicator_code"] for row in seed("plan_figure.csv") if row["plan_code"] == code}
    assert {task.indicator for task in plan.TASKS} <= printed


@PLANS
def test_its_files_are_recognised_and_keep_every_rule(plan: ModuleType, code: str, tmp_path: Path) -> None:
    longhu.write(tmp_path)
    files = progress.deliver(tmp_path, plan.events(), plan.deliveries())
    catalogue = load_forms()
    forms: Counter[str] = Counter()
    for path in files:
        name = path.relative_to(tmp_path / "inbox" / "bureau").as_posix()
        for reading in read_file(
            path, name=name, catalogue=catalogue, source=SourceContext("bureau", "440507")
        ):
            forms[reading.form.code] += 1
            assert [*reading.findings, *check(reading, CheckContext())] == []
    assert len(forms) == len(files)
    assert {"task_progress", "certification_register", "mch_maternal_annual"} <= set(forms)


def test_the_units_of_both_plans_join_the_directory_once(tmp_path: Path) -> None:
    longhu.write(tmp_path)
    directory = tmp_path / "site" / "organizations.csv"
    before = directory.read_text(encoding="utf-8")
    for plan in (nantong, haian, nantong):
        progress.deliver(tmp_path, plan.events(), plan.deliveries())
    after = directory.read_text(encoding="utf-8")
    assert after.startswith(before)
    added = [line.split(",")[0] for line in after.removeprefix(before).splitlines()]
    assert added == [nantong.PLAN.lead_code, haian.PLAN.lead_code, *(f"HA-N{n:02d}" for n in range(1, 13))]


def test_a_plan_without_a_sample_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(progress.NoSite) as raised:
        progress.deliver(tmp_path, nantong.events(), nantong.deliveries())
    assert "warehouse sample" in str(raised.value.mend)
