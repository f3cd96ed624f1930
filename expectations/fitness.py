"""Fit for use: which values of indicators rest on what a check found wrong, and what becomes of them.

A finding names a form, a field, a unit and a period; ``indicator_part`` says which indicators are made of that field.
The unit's own cells and those of the regions that count it are spoiled, in the months, quarters and years that hold
the period. By the check's policy a spoiled cell is flagged, or held: BI is told the value of its last good release.
Everything else publishes as ever.

The gate only writes down the cells. The builder marks them in the star (:func:`marks`) between audit and publish.
"""

import csv
from collections.abc import Iterable
from functools import cache

from sqlalchemy import Connection, Engine, text

from expectations.results import CheckResult
from warehouse import marks
from warehouse.release import Candidate
from warehouse.settings import CHECKOUT

PARTS = CHECKOUT / "dbt_project" / "seeds" / "indicator_part.csv"
TABLE = "fct_indicator_mark"

_SPOIL = """
with part as (
    select distinct part.indicator_code, part.form_code, part.field_code, part.breakdown
    from unnest(
        cast(:indicators as text[]), cast(:forms as text[]), cast(:fields as text[]), cast(:breakdowns as text[])
    ) as part (indicator_code, form_code, field_code, breakdown)
),
policy as (
    select policy.check_id, policy.policy
    from unnest(cast(:checks as text[]), cast(:policies as text[])) as policy (check_id, policy)
),
wrong as (
    select distinct
        finding.check_id, policy.policy, finding.subject_type, finding.subject_code, finding.organization_key,
        finding.form_code, finding.field_code, finding.breakdown, finding.indicator_code, finding.slice,
        finding.period_start, finding.report_id
    from audit.finding as finding
    inner join policy on finding.check_id = policy.check_id
    where finding.release_id = :release and finding.attempt = :attempt
        and finding.score > finding.threshold and finding.waiver is null
),
reached as (
    select wrong.check_id, wrong.policy, wrong.subject_code, part.indicator_code, null::text as slice,
        wrong.period_start, coalesce(report.period_end, wrong.period_start) as period_end, wrong.organization_key
    from wrong
    inner join part
        on wrong.form_code = part.form_code and (wrong.field_code is null or wrong.field_code = part.field_code)
            and (part.breakdown is null or wrong.breakdown is null or wrong.breakdown like part.breakdown)
    left join candidate.dim_report as report on wrong.report_id = report.report_id
    where wrong.indicator_code is null
    union
    select wrong.check_id, wrong.policy, wrong.subject_code, wrong.indicator_code, wrong.slice, wrong.period_start,
        wrong.period_start, wrong.organization_key
    from wrong
    where wrong.indicator_code is not null
),
-- The subject itself, and the regions that count it.
counted as (
    select reached.*, reached.subject_code as counts_in, true as is_own, null::text as class_group,
        null::text as ownership
    from reached
    union all
    select reached.*, above.region_code, false, unit.class_group, unit.ownership
    from reached
    inner join candidate.dim_organization as unit
        on reached.organization_key = unit.organization_key
            and reached.period_end >= unit.applies_from and reached.period_end < unit.valid_to
    cross join lateral (
        with recursive up as (
            select unit.region_code as region_code, 1 as step
            union all
            select region.parent_code, up.step + 1
            from up
            inner join candidate.dim_region as region
                on up.region_code = region.region_code
                    and reached.period_end >= region.valid_from and reached.period_end < region.valid_to
            where region.parent_code is not null and up.step < 6
        )
        select up.region_code from up
    ) as above
    where reached.slice is null
)
insert into audit.spoiled_cell (
    release_id, attempt, check_id, organization_key, indicator_code, subject_type, subject_code, slice, period_type,
    period_start, period_end, policy
)
select distinct
    :release, :attempt, counted.check_id, coalesce(fact.organization_key, 0), fact.indicator_code, fact.subject_type,
    fact.subject_code, fact.slice, fact.period_type, fact.period_start, fact.period_end, counted.policy
from counted
inner join candidate.fct_indicator as fact
    on counted.counts_in = fact.subject_code and counted.indicator_code = fact.indicator_code
        and fact.period_start <= counted.period_start and fact.period_end >= counted.period_end
        and (counted.slice is null or counted.slice = fact.slice)
left join candidate.dim_slice as slice on fact.slice = slice.slice
where fact.status = 'computed'
    and (
        counted.is_own or slice.class_group is null
        or (
            slice.class_group = counted.class_group
            and (coalesce(slice.ownership, '') = '' or slice.ownership = counted.ownership)
        )
    )
on conflict do nothing
"""

_MARKS = """
select
    cell.organization_key, cell.indicator_code, cell.subject_type, cell.subject_code, cell.slice, cell.period_type,
    cell.period_start, cell.period_end, cell.policy, cell.checks,
    case
        when cell.policy = 'hold' then coalesce(before.good_release, case when base.value is not null then {base} end)
    end as good_release,
    case when cell.policy = 'hold' then coalesce(before.good_numerator, base.numerator) end as good_numerator,
    case when cell.policy = 'hold' then coalesce(before.good_denominator, base.denominator) end as good_denominator,
    case when cell.policy = 'hold' then coalesce(before.good_value, base.value) end as good_value
from (
    select
        organization_key, indicator_code, subject_type, subject_code, slice, period_type, period_start, period_end,
        max(policy) as policy, string_agg(distinct check_id, ' ' order by check_id) as checks
    from audit.spoiled_cell
    where release_id = {release} and attempt = {attempt}
    group by
        organization_key, indicator_code, subject_type, subject_code, slice, period_type, period_start, period_end
) as cell
left join star.fct_indicator as base
    on cell.indicator_code = base.indicator_code and cell.subject_type = base.subject_type
        and cell.subject_code = base.subject_code and cell.slice = base.slice and cell.period_type = base.period_type
        and cell.period_start = base.period_start and cell.period_end = base.period_end
        and base.release_from <= {base} and base.release_to > {base} and base.status = 'computed'
left join star.fct_indicator_mark as before
    on cell.indicator_code = before.indicator_code and cell.subject_type = before.subject_type
        and cell.subject_code = before.subject_code and cell.slice = before.slice
        and cell.period_type = before.period_type and cell.period_start = before.period_start
        and cell.period_end = before.period_end and before.policy = 'hold'
        and before.release_from <= {base} and before.release_to > {base}
"""

_COLUMNS = {
    "organization_key": ("int", "机构；地区为 0"),
    "indicator_code": ("text", "指标代码"),
    "subject_type": ("text", "对象类型：organization 机构、region 地区"),
    "subject_code": ("text", "对象：机构目录编码或行政区划代码"),
    "slice": ("text", "分组，见 dim_slice"),
    "period_type": ("text", "期别"),
    "period_start": ("date", "报告期首日"),
    "period_end": ("date", "报告期末日（含）"),
    "policy": ("text", "flag 仅提示、hold 暂用上次可用值"),
    "checks": ("text", "未通过的检查"),
    "good_release": ("int", "上次可用的发布号；尚无为空"),
    "good_numerator": ("numeric", "上次可用的分子"),
    "good_denominator": ("numeric", "上次可用的分母"),
    "good_value": ("numeric", "上次可用的值"),
}
_KEY = tuple(_COLUMNS)[:8]


def spoil(connection: Connection, candidate: Candidate, results: Iterable[CheckResult]) -> int:
    """Write down the cells that failed checks spoil; returns how many rows."""
    connection.execute(
        text("delete from audit.spoiled_cell where release_id = :release"), {"release": candidate.release_id}
    )
    failed = [result for result in results if result.status == "failed" and result.policy != "none"]
    if not failed:
        return 0
    parts = _parts()
    written = connection.execute(
        text(_SPOIL),
        {
            "release": candidate.release_id,
            "attempt": candidate.attempt,
            "checks": [result.check_id for result in failed],
            "policies": [result.policy for result in failed],
            "indicators": [part[0] for part in parts],
            "forms": [part[1] for part in parts],
            "fields": [part[2] for part in parts],
            "breakdowns": [part[3] for part in parts],
        },
    )
    return written.rowcount


def mark(builder: Engine, candidate: Candidate) -> int:
    """Bring the marks of the star to what the audit wrote down; returns how many cells are marked."""
    query = _MARKS.format(
        release=candidate.release_id, attempt=candidate.attempt, base=candidate.base_release
    )
    about = "Grain: one row per value of an indicator that rests on what a check found wrong."
    return marks.bring(builder, candidate, marks.Table(TABLE, about, _COLUMNS, _KEY), query)


@cache
def _parts() -> tuple[tuple[str, str, str, str | None], ...]:
    with PARTS.open(encoding="utf-8", newline="") as seed:
        return tuple(
            (row["indicator_code"], row["form_code"], row["field_code"], row["breakdown"] or None)
            for row in csv.DictReader(seed)
        )
