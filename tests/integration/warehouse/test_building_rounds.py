"""Reports that change while they are built: claimed only if they are built again."""

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from warehouse import building, release
from warehouse.database import Role, engine


def change():
    with engine(Role.LOADER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.change (report_id, cause) select report_id, 'test' from registry.report"
            )
        )


@pytest.fixture
def candidate(settings, monkeypatch):
    with engine(Role.LOADER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.report (form_code, subject_type, subject_code, region_code, period_type,"
                " period_start, period_end)"
                " values ('f', 'region', '440507', '440507', 'month', '2015-01-01', '2015-01-31')"
            )
        )
    change()
    monkeypatch.setattr(building, "_parse", lambda *_: SimpleNamespace(nodes={}))
    monkeypatch.setattr(building, "_test", lambda *_: ())
    return release.open_candidate(engine(Role.BUILDER), "night")


def built(monkeypatch, changes):
    """How often a build runs in which a report changes in the first so many rounds."""
    rounds = []

    def run(*_):
        rounds.append(1)
        if len(rounds) <= changes:
            change()
        return {}

    monkeypatch.setattr(building, "_run", run)
    return rounds


def test_a_report_that_changed_during_the_build_is_built_again(settings, candidate, monkeypatch):
    rounds = built(monkeypatch, changes=1)
    building.build(settings, candidate)
    assert len(rounds) == 2


def test_reports_that_go_on_changing_fail_the_build_and_stay_for_the_next(settings, candidate, monkeypatch):
    rounds = built(monkeypatch, changes=99)
    with pytest.raises(building.BuildFailed, match="went on changing"):
        building.build(settings, candidate)
    assert len(rounds) == building.ROUNDS
    release.reject(engine(Role.BUILDER), candidate, "failed")
    assert release.open_candidate(engine(Role.BUILDER), "next night").changed_reports == 1
