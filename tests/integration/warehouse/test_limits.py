"""Confidence limits in the database against the quantiles of scipy."""

import pytest
from scipy import stats
from sqlalchemy import text

from warehouse.database import Role, engine

COUNTS = (0, 1, 2, 4, 5, 17, 99, 100, 101, 350, 5_000, 1_000_000)
SHARES = (
    (0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (10, 10), (8, 7_897), (99, 150), (99, 199), (50, 1_000_000),
    (7_193, 7_196), (7_036, 7_196), (100, 200), (150, 400), (632_383, 802_270),
)  # fmt: skip


@pytest.fixture
def limits(settings):
    """The lower and upper limit that a function of the database gives."""
    with engine(Role.BUILDER).connect() as connection:

        def run(call, **given):
            return connection.execute(text(f"select low, high from registry.{call}"), given).one()

        yield run


def close(events):
    """Exact to the last digits below a hundred events, within 0.003 % above."""
    return 1e-9 if events < 100 else 3e-5


def test_limits_of_counts_are_those_of_the_poisson_distribution(limits):
    for events in COUNTS:
        low, high = limits("count_limits(:events)", events=events)
        assert low == pytest.approx(
            stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0, rel=close(events)
        ), events
        assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * events + 2) / 2, rel=close(events)), events


def test_limits_of_shares_are_those_of_clopper_and_pearson(limits):
    for events, total in SHARES:
        low, high = limits("proportion_limits(:events, :total)", events=events, total=total)
        tolerance = close(min(events, total - events))
        wanted_low = stats.beta.ppf(0.025, events, total - events + 1) if events else 0
        wanted_high = stats.beta.ppf(0.975, events + 1, total - events) if events < total else 1
        assert (low, high) == (
            pytest.approx(wanted_low, rel=tolerance),
            pytest.approx(wanted_high, rel=tolerance),
        ), (events, total)


def test_what_is_no_count_has_no_limits(limits):
    assert limits("count_limits(2.5)") == (None, None)
    assert limits("proportion_limits(11, 10)") == (None, None)
    assert limits("proportion_limits(null, 10)") == (None, None)
