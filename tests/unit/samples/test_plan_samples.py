"""Reports behind the annual plans of Nantong and Hai'an: they keep every rule, and come on top of a sample."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from ingestion.checks import CheckContext, check
from ingestion.forms_catalogue import load_forms
from ingestion.reading import SourceContext, read_file
from ingestion.site import load_site
from samples import haian, longhu, nantong, progress, reported
from samples.generator import Options
from samples.generator.world import World
from warehouse.settings import Settings

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
    files = progress.deliver(
        tmp_path, plan.events(), plan.deliveries(), towns=plan.towns(), source=plan.SOURCE
    )
    catalogue = load_forms()
    forms: Counter[str] = Counter()
    for path in files:
        source, _, name = path.relative_to(tmp_path / "inbox").as_posix().partition("/")
        region = {"bureau": "440507", "nantong": "320600"}[source]
        readings = read_file(path, name=name, catalogue=catalogue, source=SourceContext(source, region))
        assert len({reading.form.code for reading in readings}) == 1, name
        for reading in readings:
            forms[reading.form.code] += 1
            assert [*reading.findings, *check(reading, CheckContext())] == []
    assert {"task_progress", "certification_register", "mch_maternal_annual"} <= set(forms)


def test_the_units_of_both_plans_join_the_directory_once(tmp_path: Path) -> None:
    longhu.write(tmp_path)
    directory = tmp_path / "site" / "organizations.csv"
    before = directory.read_text(encoding="utf-8")
    for plan in (nantong, haian, nantong):
        progress.deliver(
            tmp_path,
            plan.events(),
            plan.deliveries(),
            towns=plan.towns(),
            duties=plan.duties(),
            source=plan.SOURCE,
        )
    after = directory.read_text(encoding="utf-8")
    assert after.startswith(before)
    added = [line.split(",")[0] for line in after.removeprefix(before).splitlines()]
    assert added == [event["organization_code"] for plan in (nantong, haian) for event in plan.events()]
    assert len(set(added)) == len(added) == 41 + 17
    declared = load_site(Settings(home=tmp_path))
    # Each once, and only for units that are there.
    assert len(declared.duties) == 46 + len(nantong.duties()) + len(haian.duties())
    assert [source.code for source in declared.sources].count("nantong") == 1
    assert {event.region_code for event in declared.regions if event.event_type == "open"} == {
        *(f"{county}101" for county in (*nantong.COUNTIES, "320613", "320614")),
        *haian.PLAN.towns,
    }


@PLANS
def test_each_unit_has_a_class_of_the_list(plan: ModuleType, code: str) -> None:
    assert code in {row["plan_code"] for row in seed("plan.csv")}
    listed = {row["class_code"] for row in seed("institution_class.csv")}
    assert {event["class_code"] for event in plan.events()} <= listed


def test_the_nurseries_of_a_generated_prefecture_have_a_class_of_the_list() -> None:
    listed = {row["class_code"] for row in seed("institution_class.csv")}
    world = World(Options(units=30, years=1, seed=1))
    assert {unit.class_code for unit in world.nurseries} <= listed


@PLANS
def test_each_place_of_a_title_is_a_unit_or_lies_in_a_place_that_is_registered(
    plan: ModuleType, code: str
) -> None:
    assert code in {row["plan_code"] for row in seed("plan.csv")}
    places = {place for title in plan.TITLES for place in title.places}
    known = {event["organization_code"] for event in plan.events()}
    known |= {row["region_code"] for row in [*seed("region_event.csv"), *plan.towns()]}
    assert places | set(plan.PLAN.towns) <= known


def test_a_plan_without_a_sample_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(progress.NoSite) as raised:
        progress.deliver(tmp_path, nantong.events(), nantong.deliveries())
    assert "warehouse sample" in str(raised.value.mend)


@PLANS
def test_the_page_lists_every_printed_figure_with_what_the_reports_say(plan: ModuleType, code: str) -> None:
    page = (SEEDS.parents[1] / "docs" / "nantong-and-haian.md").read_text(encoding="utf-8")
    assert reported.page(code) in page
    printed = [row for row in seed("plan_figure.csv") if row["plan_code"] == code]
    assert [figure.number for figure in reported.printed(code)] == [int(row["figure_no"]) for row in printed]
    assert set(reported.told(code)) == {int(row["figure_no"]) for row in printed if row["kind"] == "target"}
    assert plan.PLAN.year == int(printed[0]["period"])


@PLANS
def test_what_is_not_measured_says_why_and_nothing_else_does(plan: ModuleType, code: str) -> None:
    open_ones = {number for number, told in reported.told(code).items() if told.status == "not_measured"}
    assert open_ones == {number for name, number in reported.LEFT if name == code}
    assert plan.PLAN.region


def test_contracts_are_reported_since_the_trial_of_2013() -> None:
    editions = {
        year: load_forms()["contract_monthly"].edition_at(date(year, 12, 1)) for year in (2012, 2015, 2016)
    }
    assert {year: edition and edition.code for year, edition in editions.items()} == {
        2012: None,
        2015: "2013",
        2016: "2016",
    }
