"""A candidate whose run goes on is nobody else's to take over."""

import pytest
from sqlalchemy import text

from warehouse.database import Role, engine
from warehouse.errors import CandidateBusy
from warehouse.release import open_candidate
from warehouse.runs import bury_dead_runs, start_run


@pytest.fixture
def night(settings):
    """A night that goes on and has a candidate."""
    start_run(engine(Role.LOADER), "nightly/1", "nightly")
    return open_candidate(engine(Role.BUILDER), "nightly/1", force=True)


def test_a_reload_cannot_rob_a_night_between_two_of_its_stages(night):
    start_run(engine(Role.LOADER), "backfill/1", "backfill")
    with pytest.raises(CandidateBusy, match="nightly/1"):
        open_candidate(engine(Role.BUILDER), "backfill/1", force=True)
    with engine(Role.OWNER).connect() as connection:
        assert connection.scalar(text("select owner from warehouse.release")) == "nightly/1"


def test_the_run_itself_may_open_it_again(night):
    again = open_candidate(engine(Role.BUILDER), "nightly/1", force=True)
    assert (again.release_id, again.attempt) == (night.release_id, 2)


def test_a_dead_run_loses_it_to_the_next(night):
    assert bury_dead_runs(engine(Role.LOADER), "nightly") == ["nightly/1"]
    taken = open_candidate(engine(Role.BUILDER), "nightly/2", force=True)
    assert (taken.release_id, taken.owner) == (night.release_id, "nightly/2")
