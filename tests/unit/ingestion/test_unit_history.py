"""Dated events of units: repairs in any order give the same history, and contradictions are told."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.site import OrganizationEvent
from ingestion.unit_history import ATTRIBUTES, FLAGS, OPEN_END, contradictions, merged, spells
from samples.longhu.site import events as sample_events

KINDS = ("open", "close", "reopen", "rename", "reclass", "ownership", "merge", "split", "district")


def event(day: str | date, kind: str, code: str = "U1", **given) -> OrganizationEvent:
    return OrganizationEvent.model_validate(
        {"organization_code": code, "event_date": day, "event_type": kind, **given}
    )


def history(events: list[OrganizationEvent]) -> pl.DataFrame:
    """Spells of events as the registry would hand them over, in the order given."""
    schema = {
        "organization_key": pl.Int32,
        "organization_code": pl.String,
        "event_date": pl.Date,
        "event_type": pl.String,
        **{name: pl.Boolean if name in FLAGS else pl.String for name in ATTRIBUTES},
    }
    rows = [
        {
            "organization_key": int(one.organization_code[1:]),
            **{name: getattr(one, name) for name in schema if name != "organization_key"},
        }
        for one in merged(events)
    ]
    return spells(pl.DataFrame(rows, schema=schema))


dated = st.builds(
    event,
    st.dates(date(2000, 1, 1), date(2000, 1, 12)),
    st.sampled_from(KINDS),
    st.sampled_from(("U1", "U2")),
    name_zh=st.sampled_from((None, "甲", "乙")),
    class_code=st.sampled_from((None, "A100", "B100")),
    is_branch=st.sampled_from((None, True, False)),
    related_organization_code=st.sampled_from((None, "U1", "U2")),
)


@given(
    st.lists(dated, min_size=1, max_size=12).flatmap(
        lambda found: st.tuples(st.just(found), st.permutations(found))
    )
)
def test_the_order_of_events_and_of_repairs_means_nothing(both):
    events, shuffled = both
    assert history(events).equals(history(shuffled))
    assert contradictions(events) == contradictions(shuffled)


@given(st.lists(dated, min_size=1, max_size=12))
def test_spells_of_a_unit_meet_without_gap_or_overlap(events):
    for _, own in history(events).group_by("organization_key"):
        assert own["valid_to"].to_list() == [*own["valid_from"].to_list()[1:], OPEN_END]
        assert own["valid_from"].is_sorted()


@given(st.lists(dated, min_size=1, max_size=8), st.lists(dated, max_size=8))
def test_what_is_repaired_later_is_as_if_it_had_been_known_at_once(first, later):
    """The directory is taken in as a whole: a repair gives what its events give together."""
    assert history(first + later).equals(history(later + first))


class TestWhatEventsMean:
    def test_a_unit_that_was_merged_is_closed_and_one_that_was_split_off_is_open(self):
        found = history(
            [
                event("2001-01-01", "open", "U1", name_zh="甲"),
                event("2005-01-01", "merge", "U1", related_organization_code="U2"),
                event("2003-01-01", "split", "U2", name_zh="乙", related_organization_code="U1"),
            ]
        )
        assert found.select("organization_code", "valid_from", "is_open").rows() == [
            ("U1", date(2001, 1, 1), True),
            ("U1", date(2005, 1, 1), False),
            ("U2", date(2003, 1, 1), True),
        ]

    def test_of_two_values_on_one_day_the_greatest_counts(self):
        found = history(
            [
                event("2001-01-01", "open", class_code="A100"),
                event("2001-01-01", "reclass", class_code="B100"),
            ]
        )
        assert found["class_code"].to_list() == ["B100"]

    def test_lines_of_one_kind_and_day_are_put_together(self):
        (one,) = merged([event("2001-01-01", "open", name_zh="甲"), event("2001-01-01", "open", uscc="X")])
        assert (one.name_zh, one.uscc) == ("甲", "X")


OPEN = event("2001-01-01", "open", name_zh="甲", class_code="A100")
OTHER = event("2001-01-01", "open", "U2", name_zh="乙", class_code="A100")
DAY = date(2002, 1, 1)


@pytest.mark.parametrize(
    ("events", "rule"),
    [
        ([OPEN, event(OPEN.event_date, "rename", name_zh="丙")], "DIR_SAME_DAY"),
        ([OPEN, event(OPEN.event_date, "open", name_zh="丙", class_code="A100")], "DIR_SAME_DAY"),
        ([OPEN, event(DAY, "close"), event(DAY, "reopen")], "DIR_OPENED_AND_CLOSED"),
        ([event(DAY, "rename", name_zh="甲")], "DIR_NOT_OPENED"),
        ([OPEN, event(DAY, "reopen")], "DIR_OPENED_TWICE"),
        ([OPEN, event(DAY, "close"), event(DAY + timedelta(1), "close")], "DIR_CLOSED_TWICE"),
        ([OPEN, event(DAY, "close"), event(DAY + timedelta(1), "rename", name_zh="丙")], "DIR_CHANGED_WHILE_CLOSED"),
        ([OPEN, event(DAY, "reclass", is_counted_by_second_class=True)], "DIR_NO_SECOND_CLASS"),
        ([OPEN, event(DAY, "regrade", name_zh="丙")], "DIR_NOTHING_GIVEN"),
        ([OPEN, event(DAY, "merge")], "DIR_NO_PARTNER"),
        ([OPEN, event(DAY, "merge", related_organization_code="U1")], "DIR_NO_PARTNER"),
        (
            [OPEN, OTHER, event("2001-06-01", "close", "U2"), event(DAY, "merge", related_organization_code="U2")],
            "DIR_PARTNER_CLOSED",
        ),
        ([event(DAY, "split", related_organization_code="U2"), event(DAY, "open", "U2")], "DIR_PARTNER_CLOSED"),
    ],
)  # fmt: skip
def test_a_contradiction_is_told_in_both_languages(events, rule):
    found = contradictions(events)
    assert [finding.rule_id for finding in found] == [rule]
    assert "U" in found[0].message_zh
    assert found[0].message_en.isascii() or rule == "DIR_SAME_DAY"


def test_a_sound_history_has_no_contradiction():
    events = [
        OPEN,
        OTHER,
        event("2003-01-01", "close"),
        event("2005-01-01", "reopen"),
        event("2006-01-01", "reclass", second_class_code="B100"),
        event("2007-01-01", "reclass", is_counted_by_second_class=True),
        event("2008-01-01", "split", "U3", name_zh="丙", related_organization_code="U2"),
        event("2009-01-01", "merge", "U2", related_organization_code="U1"),
        event("2010-01-01", "move", "U3"),
    ]
    assert contradictions(events) == []
    assert (
        contradictions(
            [event(DAY, "open", "U2"), event(DAY, "merge", "U1", related_organization_code="U2"), OPEN]
        )
        == []
    )


def test_the_sample_contradicts_itself_nowhere():
    events = [{name: value for name, value in row.items() if value} for row in sample_events()]
    assert contradictions([OrganizationEvent.model_validate(row) for row in events]) == []
