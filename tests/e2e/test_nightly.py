"""The real night in the real Airflow: the sample, nothing new, an amended report, a failed source, a reload."""

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.chat import Receiver, listening
from tests.e2e.instance import Instance
from warehouse.airflow.environment import metadata_url


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    instance = Instance(tmp_path_factory.mktemp("nightly") / "home with a space")
    instance.run("sample")
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def first(instance):
    return instance.run("nightly")


@pytest.fixture(scope="module")
def second(instance, first):
    return instance.run("nightly")


@pytest.fixture(scope="module")
def third(instance, second):
    instance.run("sample", "--delivery", "amendment")
    return instance.run("nightly")


def seconds(summary):
    return sum(stage["seconds"] for stage in summary["stages"])


def assets_emitted(instance):
    engine = create_engine(metadata_url(instance.settings))
    with engine.connect() as connection:
        return connection.scalar(
            text(
                "select count(*) from asset_event e join asset a on a.id = e.asset_id"
                " where a.uri like 'warehouse://published%'"
            )
        )


def test_first_night_publishes_the_sample(first):
    assert first["succeeded"]
    assert first["current_release"] == first["run"]["release_id"] == 1
    assert {stage["lane"] for stage in first["stages"] if stage["stage"] == "receive"} == {
        "hospital",
        "bureau",
        "cdc",
        "mch",
    }


def test_one_bad_report_is_quarantined_and_named_with_its_cell(first):
    (report,) = first["quarantined"]
    assert report["cell"]
    assert report["why"]
    assert first["reports"]["quarantined"] == 1


def test_every_declared_check_ran(first):
    assert first["checks"]["run"] > 100
    assert not [check for check in first["failed_checks"] if check["severity"] == "critical"]


def test_headline_says_what_the_plan_prints(first):
    lines = {(line["indicator_code"], line["slice"]): line for line in first["headline"]}
    assert lines["total_visits", "all"]["value"] == 1_261_543
    hospitals = lines["visit_share_hospital", "all"]
    assert (hospitals["numerator"], hospitals["denominator"]) == (802_270, 1_261_543)


def test_every_stage_has_its_seconds(first):
    assert {"prepare", "receive", "open", "build", "audit", "publish", "docs"} <= {
        stage["stage"] for stage in first["stages"]
    }
    assert 0 < seconds(first) <= first["run"]["seconds"]


def test_night_without_anything_new_publishes_nothing_and_is_much_faster(first, second):
    assert second["succeeded"]
    assert second["run"]["outcome"] == "nothing changed, nothing published"
    assert second["run"]["release_id"] is None
    assert second["current_release"] == 1
    assert seconds(second) < seconds(first) / 5


def test_amended_report_makes_the_next_release(instance, third):
    assert third["current_release"] == 2
    assert third["reports"] == {"accepted": 1}
    changed = {table["table"] for table in instance.run("release", "diff", "1", "2")}
    assert "fct_reported_value" in changed
    assert "fct_maternal_care" not in changed


def test_queries_of_the_readme_print_what_it_shows(instance, first):
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    shown = re.findall(r"```sql\n(-- \d.*?)```\n\n```text\n(.*?)```", readme, re.DOTALL)
    assert len(shown) == 5
    for query, answer in shown:
        process = instance.start("psql", "-c", f"SET warehouse.as_of_release = 1;\n{query}")
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        printed = [line.rstrip() for line in output.splitlines()[1:] if line.strip()]
        assert printed == [line for line in answer.splitlines() if line.strip()], query


def test_asset_is_emitted_for_each_release_only(instance, third):
    assert assets_emitted(instance) == third["current_release"]


def test_pages_for_people_are_written(instance, first):
    artifacts = instance.settings.artifacts
    assert (artifacts / "data_docs" / "index.html").exists()
    assert (artifacts / "dbt_docs" / "index.html").exists()


def test_no_password_stands_in_any_log(instance, third):
    secrets = [
        value
        for file in instance.settings.secrets.iterdir()
        for value in (file.read_text().strip(),)
        if file.name != "airflow_login.json"
    ]
    logs = [*instance.home.rglob("*.log")]
    assert logs
    for log in logs:
        # The server's own log belongs to another user when the tests run as root.
        content = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in content], log


def test_runs_are_listed_by_status(instance, third):
    status = instance.run("status")
    assert status["release"] == 2
    assert [run["status"] for run in status["runs"]] == ["succeeded"] * 3


def test_plan_of_a_reload_writes_nothing(instance, third):
    before = instance.scalar("select count(*) from registry.revision")
    planned = instance.run(
        "backfill", "--from", "2015-01-01", "--to", "2015-12-31", "--reason", "a rule was mended"
    )
    assert planned["succeeded"]
    assert [stage["stage"] for stage in planned["stages"]] == ["prepare", "plan"]
    assert [(chunk["chunk"], chunk["changes"]["changes"]) for chunk in planned["plan"]] == [
        ("2015-01-01..2015-12-31", [])
    ]
    assert instance.scalar("select count(*) from registry.revision") == before
    assert instance.run("status")["release"] == 2


def test_reload_publishes_chunk_by_chunk_through_the_gate(instance, third):
    arguments = ("--from", "2015-01-01", "--to", "2015-02-28", "--chunk", "month", "--touch", "--no-dry-run")
    before = instance.run("status")["release"]
    done = instance.run("backfill", *arguments, "--form", "hosp_monthly", "--reason", "an indicator changed")
    assert done["succeeded"]
    assert sorted(stage["lane"] for stage in done["stages"] if stage["stage"] == "rederive") == [
        "2015-01-01..2015-01-31",
        "2015-02-01..2015-02-28",
    ]
    assert instance.run("status")["release"] == before + 2
    assert not instance.run("release", "diff", str(before), str(before + 2))


def test_failed_source_stops_no_other_is_named_and_somebody_is_told(instance, third):
    sources = instance.settings.site / "sources.yml"
    kept = sources.read_text()
    sources.write_text(
        kept + "\n- code: lost\n  name_zh: 连不上的来源\n  inbox: no-such-protocol://nowhere/inbox\n"
    )
    with listening() as address:
        instance.more["WAREHOUSE_ALARM_WEBHOOKS"] = address
        try:
            night = instance.run("nightly", succeeds=False)
        finally:
            sources.write_text(kept)
            del instance.more["WAREHOUSE_ALARM_WEBHOOKS"]
    [told] = Receiver.got
    assert told.startswith("数仓运行失败 run failed: nightly ")
    assert "receive lost" in told
    assert not night["succeeded"]
    assert "receive lost" in night["run"]["outcome"]
    by_lane = {stage["lane"]: stage["status"] for stage in night["stages"] if stage["stage"] == "receive"}
    assert by_lane.pop("lost") == "failed"
    assert set(by_lane.values()) == {"succeeded"}
    assert "open" in {stage["stage"] for stage in night["stages"]}


def test_login_of_the_ui_is_known_to_its_owner_alone(instance, first):
    file = instance.settings.secrets / "airflow_login.json"
    assert list(json.loads(file.read_text())) == ["admin"]
    assert file.stat().st_mode & 0o077 == 0
