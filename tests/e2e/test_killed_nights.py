"""Nights in which everything is killed: what is published stays whole, and the next night needs no cleaning."""

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from samples import longhu
from tests.e2e.instance import Instance, published, wait_for
from tests.e2e.nights import night
from warehouse import embedded
from warehouse.database import Role, make_engine


@pytest.fixture
def undisturbed(settings):
    """What two nights publish when nothing happens: the sample, then the amended report."""
    releases = []
    for delivery in ("main", "amendment"):
        longhu.write(settings.home, delivery=delivery)
        night(delivery)
        releases.append(published(settings))
    return releases


@pytest.fixture
def instance(tmp_path):
    instance = Instance(tmp_path / "killed")
    yield instance
    instance.stop()


def reached(instance, stage, lane=""):
    """Whether the newest run is in a stage; runs that were killed before it do not count."""
    return instance.scalar(
        f"select count(*) from warehouse.stage where stage = '{stage}' and lane = '{lane}'"
        " and run_id = (select run_id from warehouse.run order by started_at desc limit 1)"
        f" and started_at > '{instance.night_began}'"
    )


def kill_during_load(instance, process):
    """Files are half taken in."""
    wait_for(
        lambda: (
            reached(instance, "receive", "hospital")
            and instance.scalar("select count(*) from registry.arrival") > 5
        ),
        process,
    )


def kill_during_build(instance, process):
    """The star holds rows of the candidate."""
    wait_for(
        lambda: (
            reached(instance, "build")
            and instance.scalar(
                "select exists (select from star.dim_report, warehouse.pointer where release_from = candidate_release"
                " and candidate_release > current_release)"
            )
        ),
        process,
    )


def kill_during_audit(instance, process):
    """The gate is at work."""
    wait_for(lambda: reached(instance, "audit"), process)


def kill_during_publish(instance, process, stack):
    """The publisher waits for the pointer, which is held here, so that the kill cannot come too late."""
    wait_for(lambda: reached(instance, "audit"), process)
    owner = make_engine(instance.settings, Role.OWNER)
    stack.callback(owner.dispose)
    holder = owner.connect()
    stack.callback(holder.invalidate)
    holder.execute(text("select * from warehouse.pointer for update"))
    wait_for(
        lambda: instance.scalar(
            "select true from pg_stat_activity where application_name = 'warehouse-publisher'"
            " and wait_event_type = 'Lock'"
        ),
        process,
    )


def embedded_runs(instance):
    return embedded.is_running(embedded.locate(instance.settings))


def night_killed(instance, moment):
    instance.night_began = datetime.now(UTC).isoformat()
    process = instance.start("nightly")
    with ExitStack() as stack:
        if moment is kill_during_publish:
            moment(instance, process, stack)
        else:
            moment(instance, process)
        instance.kill()
    process.wait()
    assert not embedded_runs(instance)
    instance.start_server()


@pytest.mark.timeout(1800)
def test_killed_at_every_stage_a_rerun_publishes_what_an_undisturbed_run_does(instance, undisturbed):
    first, second = undisturbed
    instance.run("sample")
    for moment in (kill_during_load, kill_during_build, kill_during_publish):
        night_killed(instance, moment)
        assert not any(published(instance.settings).values()), f"partly published after {moment.__name__}"
    instance.run("nightly")
    assert published(instance.settings) == first

    instance.run("sample", "--delivery", "amendment")
    for moment in (kill_during_build, kill_during_audit, kill_during_publish):
        night_killed(instance, moment)
        assert published(instance.settings) == first, f"the last release changed after {moment.__name__}"
    instance.run("nightly")
    assert published(instance.settings) == second
    assert instance.scalar("select current_release from warehouse.pointer") == 2
    assert instance.scalar("select count(*) from warehouse.release") == 2
