"""Which rows an audit looks at: everything, or the reports and periods that the candidate rebuilt.

What was rebuilt is put into the SQL as a literal list while that is short, so that PostgreSQL plans for the few
rows it is, and people can read it.
"""

# The SQL made here is that of our own catalogue and numbers from the registry.
# ruff: noqa: S608

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Engine, text

SCHEMA = "candidate"
LITERAL_LIMIT = 500
USUAL_YEARS = 2
"""Years of months and quarters, before those that are judged, from which it is known what is usual in them."""

Scope = Literal["everything", "changed_reports", "changed_periods"]

REPORTS = (
    "select change.report_id from registry.change where change.release_id = warehouse.candidate_release()"
)
# A month counts in its year as well, and this year's residents in next year's rates.
PERIODS = (
    "select distinct period.period_type, period.period_start from registry.change"
    " inner join registry.report on report.report_id = change.report_id"
    " cross join lateral (values (report.period_type, report.period_start),"
    " ('year', date_trunc('year', report.period_start)::date),"
    " (case when report.period_type = 'year' then 'year' end, (report.period_start + interval '1 year')::date))"
    " as period (period_type, period_start)"
    " where change.release_id = warehouse.candidate_release() and period.period_type is not null"
)

# From when on periods are judged again: from the year before the first change on.
JUDGED_FROM = (
    "select (date_trunc('year', min(report.period_start)) - interval '1 year')::date from registry.report as report"
    f" where report.report_id in ({REPORTS})"
)

# Of each series with a report that changed (form, subject, kind of period), between which days its numbers are judged
# again: a new number speaks for or against those of a year around it, of three where it comes once a year. What is
# usual is known from twice as far beyond, so that what a month costs does not grow with the years kept.
SPANS = (
    "select report.form_code, report.subject_code, report.period_type,"
    " (min(report.period_start) - span.years)::date as judged_from,"
    " (max(report.period_start) + span.years)::date as judged_to,"
    " (min(report.period_start) - 3 * span.years)::date as read_from,"
    " (max(report.period_start) + 3 * span.years)::date as read_to"
    " from registry.report as report cross join lateral (select case when report.period_type in ('year', 'mch_year')"
    " then interval '3 years' else interval '1 year' end) as span (years)"
    f" where report.report_id in ({REPORTS}) and report.period_type <> 'event'"
    " group by report.form_code, report.subject_code, report.period_type, span.years"
)
_ALWAYS = (
    "select distinct form_code, subject_code, period_type, date '-infinity' as judged_from,"
    " date 'infinity' as judged_to, date '-infinity' as read_from, date 'infinity' as read_to from registry.report"
)

_REPORT_CALL = re.compile(r"\$changed\(([a-z_][a-z0-9_.]*)\)")
_PERIOD_CALL = re.compile(r"\$changed_period\(([a-z_][a-z0-9_]*)\)")
_JUDGED_CALL = re.compile(r"\$judged\(([a-z_][a-z0-9_]*)\)")
_NEAR_CALL = re.compile(r"\$near\(([a-z_][a-z0-9_]*)\)")
_SINCE_CALL = re.compile(r"\$since\(([a-z_][a-z0-9_.]*)\)")


@dataclass(frozen=True)
class Look:
    """SQL lists of the reports and periods to look at; None for everything."""

    reports: str | None = None
    periods: str | None = None
    ends: tuple[int, int] | None = None
    """First and last of many reports that came one after the other; they are not listed one by one."""

    judged_from: date | None = None
    """From when on periods are judged again; None for ever."""

    def at_report(self, column: str) -> str:
        """Condition: the report is one to look at."""
        if self.reports is None:
            return "true"
        within = f"{column} between {self.ends[0]} and {self.ends[1]} and " if self.ends else ""
        return f"({within}{column} in ({self.reports}))"

    def at_period(self, table: str) -> str:
        """Condition: the period of the table's row is one to look at."""
        if self.periods is None:
            return "true"
        return f"({table}.period_type, {table}.period_start) in ({self.periods})"

    def near(self, table: str, years: int) -> str:
        """Condition: the row is of a year, or of a month or quarter from so many years before those judged again on."""
        if self.judged_from is None:
            return "true"
        since = self.judged_from.replace(year=self.judged_from.year - years)
        return f"({table}.period_type in ('year', 'mch_year') or {table}.period_start >= date '{since}')"

    def since(self, column: str) -> str:
        """Condition: the period of any kind begins within those that are judged again."""
        return "true" if self.judged_from is None else f"{column} >= date '{self.judged_from}'"

    def spans(self) -> str:
        """Of each series with a report to look at, from when to when its numbers are judged, and which are read."""
        return _ALWAYS if self.reports is None else SPANS

    def render(self, query: str) -> str:
        """A query with its calls filled in.

        They are ``$changed(report_id)``, ``$changed_period(table)``, ``$judged(table)``, ``$near(table)``,
        ``$since(period_start)`` and ``$spans``.
        """
        query = query.replace("$spans", self.spans())
        query = _JUDGED_CALL.sub(lambda call: self.near(call[1], 0), query)
        query = _NEAR_CALL.sub(lambda call: self.near(call[1], USUAL_YEARS), query)
        query = _SINCE_CALL.sub(lambda call: self.since(call[1]), query)
        query = _REPORT_CALL.sub(lambda call: self.at_report(call[1]), query)
        return _PERIOD_CALL.sub(lambda call: self.at_period(call[1]), query)

    def rows(self, table: str, scope: Scope) -> str:
        """SQL of the table's rows to look at."""
        whole = f"{SCHEMA}.{table}"
        within = {
            "everything": "true",
            "changed_reports": self.at_report("looked.report_id"),
            "changed_periods": self.at_period("looked"),
        }[scope]
        return (
            whole
            if within == "true"
            else f"(select looked.* from {whole} as looked where {within}) as looked"
        )


EVERYTHING = Look()


def rebuilt(auditor: Engine) -> Look:
    """What the open candidate rebuilt."""
    with auditor.connect() as connection:
        reports = list(connection.scalars(text(f"{REPORTS} limit {LITERAL_LIMIT + 1}")))
        periods = connection.execute(text(f"{PERIODS} limit {LITERAL_LIMIT + 1}")).all()
        judged_from = connection.scalar(text(JUDGED_FROM))
        ends = connection.execute(
            text(f"select min(report_id), max(report_id), count(*) from ({REPORTS}) as r")
        ).one()
    many = len(reports) > LITERAL_LIMIT
    # Old reports among them, and a range of an index would be most of a table.
    close = many and ends[1] - ends[0] < 2 * ends[2]
    return Look(
        reports=REPORTS if many else ", ".join(map(str, sorted(set(reports)))) or "null",
        periods=PERIODS
        if len(periods) > LITERAL_LIMIT
        else ", ".join(f"('{kind}', date '{start}')" for kind, start in sorted(periods)) or "(null, null)",
        ends=(ends[0], ends[1]) if close else None,
        judged_from=judged_from,
    )
