"""What every DAG of this project keeps to."""

import ast
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.sdk.exceptions import ParamValidationError

from dags.notifiers import FailedRun, NewFailures
from warehouse.settings import Settings

DAG_FILES = ["backfill", "nightly"]
HEAVY = {"dbt", "great_expectations", "polars", "pyarrow", "openpyxl", "ingestion", "expectations", "samples"}


@pytest.fixture(params=DAG_FILES)
def dag(request, bag):
    return bag.dags[request.param]


def test_every_dag_file_loads(bag):
    assert bag.import_errors == {}


def test_there_are_exactly_the_dags_that_are_documented(bag):
    assert sorted(bag.dags) == DAG_FILES


def test_docstring_is_the_page_of_the_dag(dag):
    source = Path(dag.fileloc).read_text()
    assert dag.doc_md.strip() == ast.get_docstring(ast.parse(source), clean=False).strip()
    assert dag.doc_md.startswith(f"# {dag.dag_id}")


@pytest.mark.parametrize("part", ["## When it is red", "warehouse "])
def test_page_says_what_on_call_does(dag, part):
    assert part in dag.doc_md


def test_every_task_has_an_owner_and_retries_of_the_settings(dag):
    settings = Settings()
    # Who may find the candidate in another run's hands tries longer; the end is said once.
    patient = 5 * settings.task_retries
    own = {"finish": 0, "open": patient, "reload": patient}
    for task in dag.tasks:
        assert task.owner == "data-engineering"
        assert task.retries == own.get(task.task_id, settings.task_retries)
        assert task.retry_delay == timedelta(seconds=settings.retry_seconds)


def test_a_failed_run_is_told(dag):
    assert any(isinstance(callback, FailedRun) for callback in dag.get_task("finish").on_failure_callback)


@pytest.mark.parametrize(("name", "task"), [("nightly", "audit"), ("backfill", "finish")])
def test_what_is_new_at_the_gate_is_told_whether_the_run_succeeds_or_not(bag, name, task):
    told = bag.dags[name].get_task(task)
    for callbacks in (told.on_success_callback, told.on_failure_callback):
        assert any(isinstance(callback, NewFailures) for callback in callbacks)


def test_dag_has_tags(dag):
    assert dag.tags


def test_one_run_at_a_time_and_no_catching_up(dag):
    assert dag.max_active_runs == 1
    assert not dag.catchup


def test_night_begins_at_half_past_one_in_the_bureaus_time(bag):
    timetable = bag.dags["nightly"].timetable
    assert timetable.expression == "30 1 * * *"
    assert str(timetable.timezone) == Settings().timezone == "Asia/Shanghai"


def test_backfill_only_plans_unless_told_otherwise(bag):
    params = bag.dags["backfill"].params
    assert not bag.dags["backfill"].timetable.can_be_scheduled
    assert params["dry_run"] is True
    assert params.get_param("dry_run").schema["type"] == "boolean"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("from", "string"), ("to", "string"), ("forms", "array"), ("units", "array"), ("reason", "string")],
)
def test_params_of_backfill_are_typed(bag, name, kind):
    assert bag.dags["backfill"].params.get_param(name).schema["type"] == kind


@pytest.mark.parametrize("name", ["from", "to", "reason"])
def test_backfill_wants_days_and_a_reason(bag, name):
    assert not bag.dags["backfill"].params.get_param(name).has_value


def test_a_reason_of_two_signs_is_one_and_blanks_are_none(bag):
    reason = bag.dags["backfill"].params.get_param("reason")
    assert reason.resolve("补报") == "补报"
    with pytest.raises(ParamValidationError):
        reason.resolve("      ")


def test_failed_run_shows_red_whatever_went_on_after_it(dag):
    finish = dag.get_task("finish")
    assert finish.is_teardown
    assert finish.on_failure_fail_dagrun


def test_publishing_emits_the_asset(bag):
    for dag_id, task_id in (("nightly", "publish"), ("backfill", "reload")):
        assert [asset.uri for asset in bag.dags[dag_id].get_task(task_id).outlets] == [
            "warehouse://published/"
        ]


def test_a_failed_source_stops_neither_the_others_nor_the_night(bag):
    night = bag.dags["nightly"]
    assert night.get_task("receive").is_mapped
    assert night.get_task("open").trigger_rule == "all_done_min_one_success"


def test_pages_are_off_the_path_to_publishing(bag):
    night = bag.dags["nightly"]
    assert not {"quality_pages", "model_pages"} & night.get_task("publish").get_flat_relative_ids(
        upstream=True
    )


def test_dag_files_load_in_under_a_second_and_import_nothing_heavy():
    # Airflow loads its own parts before it loads a DAG file, so they are not counted.
    script = (
        "import airflow.sdk.exceptions, sys, time;"
        "from airflow.sdk import *;"
        "began = time.process_time(); import dags.nightly, dags.backfill;"
        "print(time.process_time() - began); print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, modules = done.stdout.splitlines()[-2:]
    assert not HEAVY & set(modules.split())
    assert float(seconds) < 1
