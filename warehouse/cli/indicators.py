"""Command indicators: what the star answers of the plans' indicators, targets and figures; and one indicator."""

from collections import Counter
from typing import Annotated, Any

import typer
from sqlalchemy import text

from warehouse.cli.output import App, Json, console, print_json, print_rows
from warehouse.database import Role, engine
from warehouse.errors import SettingsError

Code = Annotated[str, typer.Argument(help="Code of the indicator, or a part of its Chinese name.")]
Plan = Annotated[str, typer.Option(help="Only this plan (code).")]
Region = Annotated[str | None, typer.Option(help="Only this region (code).")]

# A target counts once, at its own year; a figure by its verdict.
_BY_PLAN = """
select
    plan.plan_code,
    plan.title_zh as plan,
    count(distinct figure.indicator_code) as indicators,
    count(distinct figure.indicator_code) filter (where indicator.is_computed) as computable,
    count(distinct figure.indicator_code) filter (where valued.indicator_code is not null) as computed,
    count(*) as figures,
    count(*) filter (where figure.kind = 'target') as targets,
    count(progress.figure_no) filter (where progress.status <> 'not_measured') as targets_judged,
    count(*) filter (where figure.kind in ('actual', 'baseline')) as claims,
    count(*) filter (where verdict.verdict = 'agrees') as agrees,
    count(*) filter (where verdict.verdict = 'rounding') as rounding,
    count(*) filter (where verdict.verdict = 'conflict') as conflict,
    count(*) filter (where verdict.verdict = 'impossible') as impossible,
    count(*) filter (where verdict.verdict = 'ambiguous') as ambiguous,
    count(*) filter (where verdict.verdict = 'not_reported') as not_reported
from published.dim_plan as plan
inner join published.dim_plan_figure as figure on plan.plan_code = figure.plan_code
inner join published.dim_indicator as indicator on figure.indicator_code = indicator.indicator_code
left join (
    select distinct indicator_code from published.fct_indicator where status = 'computed'
) as valued on figure.indicator_code = valued.indicator_code
left join published.mart_plan_reconciliation as verdict
    on figure.plan_code = verdict.plan_code and figure.figure_no = verdict.figure_no
left join published.mart_plan_progress as progress
    on figure.plan_code = progress.plan_code and figure.figure_no = progress.figure_no
        and figure.period_end = progress.period_end
group by plan.plan_code, plan.title_zh, plan.document_no
order by plan.document_no
"""

_WHOLE = """
select
    (select count(distinct form_code) from published.dim_report where revision_id is not null) as forms_received,
    count(*) as indicators,
    count(*) filter (where is_computed) as computable,
    count(*) filter (where is_computed and not_carried_reason is null) as from_own_forms,
    count(*) filter (where is_computed and not_carried_reason is not null) as from_task_sheets_only,
    count(*) filter (where not is_computed) as not_computable,
    count(*) filter (
        where indicator_code in (select indicator_code from published.fct_indicator where status = 'computed')
    ) as computed
from published.dim_indicator
"""

_FIND = """
select * from published.dim_indicator
where indicator_code = :code or name_zh like '%' || :code || '%'
order by indicator_code <> :code, indicator_code
"""

_PARTS = """
select part, period_type, form_code, field_code, nullif(breakdown, '') as breakdown, nullif(condition, '') as condition,
    slice_rule, over_time, nullif(coefficient, 1) as coefficient, nullif(year_offset, 0) as year_offset
from published.bridge_indicator_part where indicator_code = :code
order by period_type, part desc, form_code, field_code
"""

_PRINTED = """
select plan_code, kind, slice, operator, printed_value, period_end, computed_value, verdict, reason, quote
from published.mart_plan_reconciliation where indicator_code = :code
order by plan_code, figure_no
"""

_CONTRADICTIONS = """
select reference, plan_code, figure_no, kind, indicator_code, slice, printed_value, expected_value, denominator,
    verdict, coalesce(title_zh, quote) as what, cause
from published.mart_plan_contradiction
where verdict <> 'agrees' and (:plan = '' or plan_code = :plan)
order by reference nulls last, plan_code, figure_no, kind, ordinal
"""

_COMPUTED = """
select region_code, slice, period_type, period_start, numerator, denominator, value, ci_low, ci_high, status,
    reports_counted || '/' || reports_expected as reports
from published.mart_indicator
where indicator_code = :code and subject_type = 'region' and (:region = '' or region_code = :region)
order by period_end desc, region_code, slice
limit 30
"""

DEFINITION = (
    "indicator_code", "name_zh", "name_en", "domain", "unit", "scale", "numerator", "denominator", "aggregation_class",
    "definition_source", "valid_from", "valid_to", "by_organization", "interval_method", "source_forms",
    "not_carried_reason",
)  # fmt: skip


def register(app: App) -> None:
    """Add the command."""
    group = App(
        help="Count the plans' indicators, targets and printed figures that the star answers; show one.",
        invoke_without_command=True,
    )
    group.callback()(indicators)
    group.command()(show)
    group.command()(contradictions)
    app.add_typer(group, name="indicators")


def indicators(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Count by plan: indicators computed, targets loaded and judged, printed figures reconciled."""
    if ctx.invoked_subcommand:
        return
    whole = _rows(_WHOLE)[0]
    plans = _rows(_BY_PLAN)
    if as_json:
        print_json({"catalogue": whole, "plans": plans})
        return
    print_rows(
        [{"what": name.replace("_", " "), "count": value} for name, value in whole.items()],
        ("what", "count"),
        title="Catalogue",
        empty="Nothing is published.",
    )
    columns = [name for name in plans[0] if name != "plan"] if plans else ["plan_code"]
    print_rows(plans, columns, title="Plans", empty="No plan is published.")
    console.print(
        "one indicator: warehouse indicators show CODE; what plans print against themselves: warehouse indicators"
        " contradictions",
        style="dim",
    )


def show(code: Code, *, region: Region = None, as_json: Json = False) -> None:
    """Print an indicator: definition, what it is counted from, what plans print of it, what is computed."""
    found = _rows(_FIND, code=code)
    exact = [row for row in found if row["indicator_code"] == code]
    if len(exact or found) != 1:
        known = ", ".join(row["indicator_code"] for row in found)
        raise SettingsError(
            f"{code!r} fits several indicators: {known}." if found else f"There is no indicator {code!r}.",
            mend="Give the code of one; the list is in table published.dim_indicator.",
        )
    definition = {name: (exact or found)[0][name] for name in DEFINITION}
    asked = {"code": definition["indicator_code"]}
    parts, printed = _rows(_PARTS, **asked), _rows(_PRINTED, **asked)
    computed = _rows(_COMPUTED, region=region or "", **asked)
    if as_json:
        print_json({"definition": definition, "parts": parts, "printed": printed, "computed": computed})
        return
    print_rows(
        [{"what": name, "says": value} for name, value in definition.items() if value is not None],
        ("what", "says"),
        title=str(definition["name_zh"]),
        empty="",
    )
    for title, rows, empty in (
        ("Counted from", parts, "No report carries it."),
        ("Printed in plans", printed, "No plan prints it."),
        ("Computed (newest first)", computed, "No report that carries it has been published."),
    ):
        print_rows(rows, list(rows[0]) if rows else ["-"], title=title, empty=empty)


def contradictions(*, plan: Plan = "", as_json: Json = False) -> None:
    """Print where plans contradict themselves: each figure, what the others give, and a verdict."""
    found = _rows(_CONTRADICTIONS, plan=plan)
    if as_json:
        print_json(found)
        return
    shown = [
        {
            "part": row["reference"] or "new",
            "figure": f"{row['plan_code']}#{row['figure_no']}",
            "indicator": row["indicator_code"] + ("" if row["slice"] == "all" else f" {row['slice']}"),
            "printed": row["printed_value"],
            "others give": row["expected_value"],
            "verdict": row["verdict"],
            "what": row["what"] if row["reference"] else row["cause"],
        }
        for row in found
    ]
    print_rows(
        shown,
        list(shown[0]) if shown else ["-"],
        title="Contradictions of plans",
        empty=f"No published plan {plan!r} contradicts itself; the codes of plans: warehouse indicators."
        if plan
        else "No plan that is published contradicts itself.",
    )
    by_verdict = Counter(str(row["verdict"]) for row in found)
    told = ", ".join(f"{number} {verdict}" for verdict, number in by_verdict.most_common())
    console.print(f"{len(found)} rows: {told}" if found else "", style="dim")


def _rows(query: str, **parameters: Any) -> list[dict[str, Any]]:
    with engine(Role.READER).connect() as connection:
        return [dict(row) for row in connection.execute(text(query), parameters).mappings()]
