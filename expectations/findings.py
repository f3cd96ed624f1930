"""Findings: the places where checks failed, kept with the release so that they can be judged again.

A probe leaves them by its one statement; a check of a suite leaves the keys of its failing rows. Waivers are laid
over them, and those that the base release did not have are marked as new.
"""

# Names put into the SQL are our own; values are parameters.
# ruff: noqa: S608

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, text

from expectations.errors import AuditError
from expectations.probes import Probe
from expectations.scope import JUDGED_FROM, SPANS, Look
from expectations.waivers import Waiver
from warehouse.release import Candidate

KEPT_ROWS = 1000
"""Keys of failing rows that are kept for one check of a suite; the count is always that of all."""

PLACE = (
    "subject_type",
    "subject_code",
    "organization_key",
    "form_code",
    "field_code",
    "breakdown",
    "indicator_code",
    "slice",
    "period_type",
    "period_start",
    "report_id",
)
_MEASURED = ("score", "observed", "expected", "denominator", "cause", "detail")
# What tells a place from another: not the report, whose number says nothing to people.
_KEY = (*(column for column in PLACE if column not in ("report_id", "organization_key")), "place")
_NUMBERS = {"score": "1::numeric", "observed": "null::numeric", "expected": "null::numeric"}
_TYPES = {
    "organization_key": "int",
    "period_start": "date",
    "report_id": "bigint",
    "denominator": "numeric",
    "detail": "jsonb",
    "looked": "bigint",
}

_CARRIED = {
    "none": "false",
    "span": (
        f"not exists (select from ({SPANS}) as judged where judged.form_code = finding.form_code"
        " and judged.subject_code = finding.subject_code"
        " and coalesce(judged.period_type = finding.period_type, true)"
        " and coalesce(finding.period_start between judged.judged_from and judged.judged_to, true))"
    ),
    "since": f"coalesce(finding.period_start < ({JUDGED_FROM}), false)",
    "before": (
        "coalesce(finding.period_type not in ('year', 'mch_year')"
        f" and finding.period_start < ({JUDGED_FROM}), false)"
    ),
}


_FAILING = """
select
    finding.check_id, finding.subject_type, finding.subject_code, finding.form_code, finding.indicator_code,
    concat_ws(' ', finding.form_code, finding.field_code, finding.breakdown, finding.indicator_code, finding.slice)
        as item,
    finding.period_type, finding.period_start, finding.report_id, finding.key, finding.score, finding.threshold,
    finding.observed, finding.expected, finding.denominator, finding.cause, finding.detail,
    finding.is_new, finding.waiver
from audit.finding as finding
where finding.score > finding.threshold and (:waived or finding.waiver is null)
    and finding.check_id like :only and (cast(:subject as text) is null or finding.subject_code = :subject)
    and (finding.release_id, finding.attempt) = (
        select result.release_id, result.attempt from audit.check_result as result
        where cast(:release as int) is null or result.release_id = :release
        order by result.checked_at desc limit 1
    )
order by finding.waiver is not null, finding.check_id, finding.score desc, finding.key
"""

_CHECK_ID = "cast(:suite as text) || '.' || {table}.kind || coalesce('_' || nullif({table}.item, ''), '')"


@dataclass(frozen=True)
class Tally:
    """Findings of one check: above the threshold, of these waived and new, and the highest score of all."""

    failing: int = 0
    waived: int = 0
    new: int = 0
    examples: str = ""

    @property
    def open(self) -> int:
        """Failing and not waived."""
        return self.failing - self.waived


def withdraw(connection: Connection, candidate: Candidate, *, by_hand: bool = False) -> None:
    """Take back what earlier attempts at the release left; or what an earlier run by hand left, of any release."""
    which = "attempt = 0" if by_hand else "release_id = :release and attempt > 0"
    connection.execute(
        text(f"delete from audit.finding where {which}"), {} if by_hand else {"release": candidate.release_id}
    )


def collect(connection: Connection, candidate: Candidate, probe: Probe, look: Look) -> dict[str, int]:
    """Run a probe and keep its findings; returns the number of places looked at by check, where there were any.

    Raises :class:`AuditError` when it leaves findings for a check that is not declared.
    """
    # Steps of one statement have no statistics: a nested loop over two of them would take for ever.
    connection.execute(
        text("set local work_mem = '192MB'; set local jit = off; set local enable_nestloop = off")
    )
    connection.execute(text("drop table if exists pg_temp.found"))
    if probe.declared.analysis == "series":
        from expectations.series import reading  # noqa: PLC0415 - what only this probe needs

        reading.scan(connection, rendered(probe, look))
    else:
        connection.exec_driver_sql(
            f"create temp table found on commit drop as {rendered(probe, look)}".replace("%", "%%")
        )
    there = set(
        connection.scalars(
            text("select attname from pg_attribute where attrelid = 'pg_temp.found'::regclass and attnum > 0")
        )
    )
    checks = {check.id: check for check in probe.suite.checks}
    _refuse_undeclared(connection, probe)
    values = {
        "release": candidate.release_id,
        "attempt": candidate.attempt,
        "suite": probe.name,
        "ids": list(checks),
        "thresholds": [check.threshold for check in checks.values()],
    }
    key = ", ".join(f"nullif({_cell(column, there)}::text, '')" for column in _KEY)
    columns = (*PLACE, *_MEASURED)
    connection.execute(
        text(
            "insert into audit.finding (release_id, attempt, check_id, suite, key, threshold,"
            f" {', '.join(columns)})"
            " select distinct on (declared.check_id, placed.key) :release, :attempt, declared.check_id, :suite,"
            f" placed.key, declared.threshold, {', '.join(_cell(column, there, 'placed') for column in columns)}"
            f" from (select found.*, concat_ws('|', {key}) as key from found where found.looked is null) as placed"
            " inner join unnest(cast(:ids as text[]), cast(:thresholds as numeric[])) as declared (check_id, threshold)"
            f" on declared.check_id = {_CHECK_ID.format(table='placed')}"
            f" order by declared.check_id, placed.key, {_cell('score', there, 'placed')} desc"
        ),
        values,
    )
    looked = connection.execute(
        text(
            "select kind, coalesce(item, '') as item, sum(looked) as looked from found where looked is not null"
            " group by 1, 2"
        )
    ).all()
    by_place = {(row.kind, row.item): int(row.looked) for row in looked}
    return {
        check_id: by_place.get((kind, item), by_place.get((None, item), 0))
        for check_id, (kind, item) in probe.places().items()
    }


def failing(
    auditor: Engine,
    release_id: int | None = None,
    *,
    only: str = "*",
    subject: str | None = None,
    waived: bool = False,
) -> list[dict[str, Any]]:
    """Findings above their thresholds of a release (default: the one audited last), narrowed by check and subject."""
    with auditor.connect() as connection:
        rows = connection.execute(
            text(_FAILING),
            {
                "release": release_id,
                "only": only.replace("_", "\\_").replace("*", "%"),
                "subject": subject,
                "waived": waived,
            },
        )
        return [dict(row) for row in rows.mappings()]


def rendered(probe: Probe, look: Look) -> str:
    """The probe's statement for what is looked at."""
    return look.render(probe.sql)


def keep(
    connection: Connection,
    candidate: Candidate,
    check_id: str,
    identifying: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
) -> None:
    """Keep the keys of failing rows of a suite's check; ``identifying`` are the columns that name a row."""
    kept = {}
    for row in rows:
        named = [column for column in row if column in identifying or column in PLACE] or list(row)
        key = "|".join(f"{column}={row[column]}" for column in named)
        kept[key] = {
            "release": candidate.release_id,
            "attempt": candidate.attempt,
            "check_id": check_id,
            "suite": check_id.split(".", maxsplit=1)[0],
            "key": key,
            "detail": json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False),
            **{column: row.get(column) for column in PLACE},
        }
    if kept:
        connection.execute(
            text(
                f"insert into audit.finding (release_id, attempt, check_id, suite, key, detail, {', '.join(PLACE)})"
                " values (:release, :attempt, :check_id, :suite, :key, cast(:detail as jsonb),"
                f" {', '.join(':' + column for column in PLACE)}) on conflict do nothing"
            ),
            list(kept.values()),
        )


def settle(
    connection: Connection, candidate: Candidate, waivers: Iterable[Waiver], waivable: Sequence[str]
) -> None:
    """Place findings that name only a report, lay the waivers over those of waivable checks, and mark the new ones."""
    here = {"release": candidate.release_id, "attempt": candidate.attempt}
    connection.execute(
        text(
            "update audit.finding as finding set subject_type = coalesce(finding.subject_type, report.subject_type),"
            " subject_code = coalesce(finding.subject_code, report.subject_code),"
            " form_code = coalesce(finding.form_code, report.form_code),"
            " period_type = coalesce(finding.period_type, report.period_type),"
            " period_start = coalesce(finding.period_start, report.period_start)"
            " from registry.report as report where report.report_id = finding.report_id"
            " and finding.release_id = :release and finding.attempt = :attempt and finding.subject_code is null"
        ),
        here,
    )
    for waiver in waivers:
        condition, values = waiver.conditions()
        connection.execute(
            text(
                "update audit.finding set waiver = :label where release_id = :release and attempt = :attempt"
                f" and waiver is null and check_id = any(:waivable) and {condition}"
            ),
            {**here, "label": waiver.label, "waivable": list(waivable), **values},
        )
    connection.execute(
        text(
            "update audit.finding as finding set is_new = true where release_id = :release and attempt = :attempt"
            " and score > threshold and not exists (select from audit.finding as before"
            " where before.release_id = :base and before.attempt > 0 and before.check_id = finding.check_id"
            " and before.key = finding.key"
            " and before.score > before.threshold)"
        ),
        {**here, "base": candidate.base_release},
    )


def tally(
    connection: Connection, release_id: int, attempt: int, thresholds: Mapping[str, float] | None = None
) -> dict[str, Tally]:
    """Findings by check; with ``thresholds`` judged by these instead of those they were found with."""
    rows = connection.execute(
        text(
            "with judged as (select finding.*, row_number() over (partition by finding.check_id"
            " order by finding.waiver is not null, finding.score desc, finding.key) as place"
            " from audit.finding as finding"
            " left join unnest(cast(:ids as text[]), cast(:values as numeric[])) as asked (check_id, threshold)"
            " on asked.check_id = finding.check_id"
            " where finding.release_id = :release and finding.attempt = :attempt"
            " and finding.score > coalesce(asked.threshold, finding.threshold))"
            " select check_id, count(*) as failing, count(waiver) as waived,"
            " count(*) filter (where is_new and waiver is null) as new,"
            " string_agg(key || coalesce(' (' || cause || ')', ''), ' | ' order by place)"
            " filter (where place <= 3) as examples"
            " from judged group by check_id"
        ),
        {
            "release": release_id,
            "attempt": attempt,
            "ids": list(thresholds or {}),
            "values": list((thresholds or {}).values()),
        },
    )
    return {row.check_id: Tally(row.failing, row.waived, row.new, row.examples) for row in rows}


def _refuse_undeclared(connection: Connection, probe: Probe) -> None:
    rows = connection.scalars(
        text(f"select distinct {_CHECK_ID.format(table='found')} from found where looked is null"),
        {"suite": probe.name},
    )
    unknown = sorted(set(rows) - probe.ids)
    if unknown:
        raise AuditError(
            f"Probe {probe.name} leaves findings for checks that are not declared: {', '.join(unknown[:5])}.",
            mend=f"Declare their kinds in expectations/probes/{probe.name}.yml.",
            probe=probe.name,
        )


def carry(connection: Connection, candidate: Candidate, probe: Probe) -> None:
    """Keep the findings of the base release in places that were not looked at again: they still hold."""
    columns = ", ".join(("check_id", "suite", "key", "threshold", *PLACE, *_MEASURED))
    connection.execute(
        text(
            f"insert into audit.finding (release_id, attempt, {columns}) select :release, :attempt, {columns}"
            " from audit.finding as finding where finding.release_id = :base and finding.check_id = any(:ids)"
            " and finding.attempt > 0"
            f" and {_CARRIED[probe.declared.carried]} on conflict do nothing"
        ),
        {
            "release": candidate.release_id,
            "attempt": candidate.attempt,
            "base": candidate.base_release,
            "ids": [check.id for check in probe.suite.checks],
        },
    )


def _cell(column: str, there: set[str], table: str = "found") -> str:
    """A probe's column, or null where it has none."""
    kind = _TYPES.get(column, "numeric" if column in _NUMBERS else "text")
    if column not in there:
        return _NUMBERS.get(column, f"null::{kind}")
    return f"{table}.{column}::{kind}"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
