"""Releases on a hand-made star table: what readers see through publish, reject, undo, redo and resume."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from warehouse import release, star
from warehouse.database import Role, engine
from warehouse.difference import diff
from warehouse.errors import CandidateBusy, CandidateLost, GateNotPassed, ReleaseNotFound, ReleaseUndone

COLUMNS = "organization_key int not null, period_start date not null, visits int"


@pytest.fixture
def fact(settings):
    """A star table like those that dbt makes, and one report that can change."""
    with engine(Role.BUILDER).begin() as connection:
        connection.execute(
            text(
                f"create table star.fct_visit ({COLUMNS}, release_from int not null, release_to int not null,"
                " primary key (organization_key, period_start, release_from))"
            )
        )
        connection.execute(text("comment on table star.fct_visit is 'Grain: one row per unit and month.'"))
        connection.execute(text("comment on column star.fct_visit.visits is '总诊疗人次数'"))
    with engine(Role.LOADER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.report (form_code, subject_type, subject_code, region_code, period_type,"
                " period_start, period_end)"
                " values ('f', 'region', '440507', '440507', 'month', '2015-01-01', '2015-01-31')"
            )
        )


def change():
    with engine(Role.LOADER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.change (report_id, cause) select report_id, 'test' from registry.report"
            )
        )


def write(candidate, rows):
    """Do to the star what a build does: close what differs, add what is new; ``rows``: {unit: visits}."""
    with engine(Role.BUILDER).begin() as connection:
        for unit, visits in rows.items():
            names = {"unit": unit, "visits": visits, "id": candidate.release_id}
            connection.execute(
                text("delete from star.fct_visit where organization_key = :unit and release_from = :id"),
                names,
            )
            connection.execute(
                text(
                    "update star.fct_visit set release_to = :id"
                    " where organization_key = :unit and release_to = 2147483647"
                ),
                names,
            )
            if visits is not None:
                connection.execute(
                    text("insert into star.fct_visit values (:unit, '2015-01-01', :visits, :id, 2147483647)"),
                    names,
                )
        star.make_views(connection, "candidate", "candidate_release")


def judge(candidate, verdict="passed"):
    with engine(Role.AUDITOR).begin() as connection:
        connection.execute(
            text("update warehouse.release set verdict = :verdict where release_id = :id"),
            {"verdict": verdict, "id": candidate.release_id},
        )


def build(rows, owner="night"):
    change()
    candidate = release.open_candidate(engine(Role.BUILDER), owner)
    write(candidate, rows)
    return candidate


def publish(rows):
    candidate = build(rows)
    judge(candidate)
    release.publish(engine(Role.PUBLISHER), candidate)
    return candidate


def seen(as_of=None, role=Role.READER, schema="published"):
    with engine(role).connect() as connection:
        if as_of is not None:
            connection.execute(text(f"set warehouse.as_of_release = {as_of}"))
        rows = dict(
            connection.execute(text(f"select organization_key, visits from {schema}.fct_visit")).all()
        )
        connection.rollback()
        connection.execute(text("reset warehouse.as_of_release"))
        connection.commit()
        return rows


def test_readers_see_a_release_only_once_it_is_published(fact):
    publish({1: 10, 2: 20})
    candidate = build({1: 11})
    assert seen() == {1: 10, 2: 20}
    assert seen(role=Role.AUDITOR, schema="candidate") == {1: 11, 2: 20}
    judge(candidate)
    release.publish(engine(Role.PUBLISHER), candidate)
    assert seen() == {1: 11, 2: 20}


def test_readers_compare_releases_and_never_see_what_a_candidate_changes(fact):
    publish({1: 10})
    publish({1: 11})
    build({1: 12})
    with engine(Role.READER).connect() as connection:
        versions = connection.execute(
            text("select visits, release_from, release_to from released.fct_visit order by release_from")
        ).all()
    assert versions == [(10, 1, 2), (11, 2, 2147483647)]


def test_published_views_carry_the_comments_of_their_tables(fact):
    publish({1: 10})
    with engine(Role.READER).connect() as connection:
        assert connection.scalar(text("select obj_description('published.fct_visit'::regclass)")).startswith(
            "Grain"
        )
        assert (
            connection.scalar(text("select col_description('published.fct_visit'::regclass, 3)"))
            == "总诊疗人次数"
        )


def test_readers_cannot_read_the_star_itself(fact):
    publish({1: 10})
    with (
        engine(Role.READER).connect() as connection,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        connection.execute(text("select * from star.fct_visit"))


def test_nothing_changed_opens_no_candidate_unless_forced(fact):
    publish({1: 10})
    assert release.open_candidate(engine(Role.BUILDER), "night") is None
    assert release.open_candidate(engine(Role.BUILDER), "night", force=True).release_id == 2


def test_a_rejected_candidate_leaves_no_trace_and_gives_its_changes_back(fact):
    publish({1: 10, 2: 20})
    candidate = build({1: 11, 2: None, 3: 30})
    release.reject(engine(Role.BUILDER), candidate, "gate failed")
    assert seen() == seen(role=Role.AUDITOR, schema="candidate") == {1: 10, 2: 20}
    with engine(Role.OWNER).connect() as connection:
        assert connection.scalar(text("select count(*) from star.fct_visit")) == 2
    again = release.open_candidate(engine(Role.BUILDER), "next night")
    assert (again.release_id, again.changed_reports) == (3, 1)


def test_a_candidate_that_the_gate_has_not_passed_is_not_published(fact):
    candidate = build({1: 10})
    with pytest.raises(GateNotPassed):
        release.publish(engine(Role.PUBLISHER), candidate)
    judge(candidate, "failed")
    with pytest.raises(GateNotPassed):
        release.publish(engine(Role.PUBLISHER), candidate)


def test_a_candidate_left_by_a_dead_run_is_cleared_and_taken_over_under_its_number(fact):
    publish({1: 10, 2: 20})
    dead = build({1: 99, 3: 30}, owner="dead night")
    heir = release.open_candidate(engine(Role.BUILDER), "next night")
    assert (heir.release_id, heir.attempt, heir.changed_reports) == (dead.release_id, 2, 1)
    assert seen(role=Role.AUDITOR, schema="candidate") == {1: 10, 2: 20}
    with pytest.raises(CandidateLost):
        release.publish(engine(Role.PUBLISHER), dead)


def test_only_one_process_works_on_the_candidate(fact):
    candidate = build({1: 10})
    with release.holding(engine(Role.BUILDER), candidate):
        with pytest.raises(CandidateBusy):
            release.open_candidate(engine(Role.BUILDER), "other")
        with pytest.raises(CandidateBusy):
            release.publish(engine(Role.PUBLISHER), candidate)
    with release.holding(engine(Role.BUILDER), candidate):
        pass


def test_every_published_release_stays_readable_as_published(fact):
    publish({1: 10, 2: 20})
    publish({1: 11})
    publish({2: None})
    assert seen(as_of=0) == {}
    assert seen(as_of=1) == {1: 10, 2: 20}
    assert seen(as_of=2) == {1: 11, 2: 20}
    assert seen(as_of=3) == seen() == {1: 11}


@pytest.mark.parametrize("wanted", ["9", "2147483646", "'one'"])
def test_asking_for_a_release_that_is_not_published_is_an_error(fact, wanted):
    publish({1: 10})
    build({1: 11})
    with pytest.raises(DBAPIError, match="the current release is 1"):
        seen(as_of=wanted)


def test_undo_and_redo_move_between_whole_releases(fact):
    publish({1: 10})
    publish({1: 11, 2: 20})
    assert release.undo(engine(Role.PUBLISHER), "wrong") == 1
    assert seen() == {1: 10}
    assert release.redo(engine(Role.PUBLISHER), "right after all") == 2
    assert seen() == {1: 11, 2: 20}
    with pytest.raises(ReleaseNotFound):
        release.redo(engine(Role.PUBLISHER), "again")


def test_after_an_undo_nothing_is_built_until_a_person_decides(fact):
    publish({1: 10})
    publish({1: 11, 2: 20})
    release.undo(engine(Role.PUBLISHER), "wrong")
    change()
    with pytest.raises(ReleaseUndone, match="release redo"):
        release.open_candidate(engine(Role.BUILDER), "night")


def test_resume_builds_on_the_release_that_was_gone_back_to_and_keeps_the_undone_one(fact):
    publish({1: 10, 2: 20})
    publish({1: 11, 2: None, 3: 30})
    release.undo(engine(Role.PUBLISHER), "wrong")
    assert release.resume(engine(Role.PUBLISHER), "report mended") == [2]
    candidate = release.open_candidate(engine(Role.BUILDER), "night")
    assert candidate.changed_reports == 1
    assert seen(role=Role.AUDITOR, schema="candidate") == {1: 10, 2: 20}
    write(candidate, {1: 12})
    judge(candidate)
    release.publish(engine(Role.PUBLISHER), candidate)
    assert seen() == {1: 12, 2: 20}
    assert seen(as_of=2) == {1: 11, 3: 30}
    assert seen(as_of=1) == {1: 10, 2: 20}


def test_a_candidate_whose_base_was_undone_is_neither_audited_nor_published(fact):
    publish({1: 10})
    publish({1: 11})
    candidate = build({2: 20})
    judge(candidate)
    release.undo(engine(Role.PUBLISHER), "wrong")
    with pytest.raises(CandidateLost, match="release 2"), release.holding(engine(Role.AUDITOR), candidate):
        pytest.fail("a stage went to work on it")
    with pytest.raises(CandidateLost, match="release 2"):
        release.publish(engine(Role.PUBLISHER), candidate)
    assert seen() == {1: 10}
    release.reject(engine(Role.BUILDER), candidate, "undone")
    assert release.redo(engine(Role.PUBLISHER), "right after all") == 2
    assert seen() == {1: 11}


def test_publishing_again_after_a_cut_changes_nothing(fact):
    candidate = publish({1: 10})
    release.publish(engine(Role.PUBLISHER), candidate)
    later = publish({1: 11})
    release.publish(engine(Role.PUBLISHER), candidate)
    assert seen() == {1: 11}
    release.undo(engine(Role.PUBLISHER), "wrong")
    with pytest.raises(CandidateLost):
        release.publish(engine(Role.PUBLISHER), later)


def test_undo_with_nothing_published_says_so(fact):
    with pytest.raises(ReleaseNotFound):
        release.undo(engine(Role.PUBLISHER), "why not")


def test_difference_names_the_cells_that_changed(fact):
    publish({1: 10, 2: 20, 4: 40})
    publish({1: 11, 2: None, 3: 30, 4: 40})
    [table] = diff(engine(Role.PUBLISHER), 1, 2)
    assert (table.table, table.added, table.removed, table.changed) == ("fct_visit", 1, 1, 1)
    [cell] = table.cells
    assert (cell["column"], cell["old"], cell["new"]) == ("visits", 10, 11)
    assert cell["key"] == {"organization_key": 1, "period_start": "2015-01-01"}
    assert diff(engine(Role.PUBLISHER), 1, 1) == []


def test_releases_are_listed_with_the_current_one_marked(fact):
    publish({1: 10})
    release.reject(engine(Role.BUILDER), build({1: 11}), "gate failed")
    assert [
        (one.release_id, one.status, one.current) for one in release.releases(engine(Role.PUBLISHER))
    ] == [
        (2, "rejected", False),
        (1, "published", True),
    ]
