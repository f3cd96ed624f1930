"""Commands about the gate: what it found, what it asks, run it by hand, judge what it found by other thresholds."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from warehouse.cli.output import App, Json, console, print_json, print_rows, told
from warehouse.database import Role, engine
from warehouse.errors import WarehouseError
from warehouse.settings import get_settings
from warehouse.summary import FINE

if TYPE_CHECKING:
    from expectations.results import Verdict

Only = Annotated[str, typer.Option("--only", help="Id of a check; * stands for any letters.")]
ReleaseNo = Annotated[
    int | None, typer.Option("--release", help="Release or candidate; the newest audited if left out.")
]

RESULT = ("severity", "status", "check_id", "failing_rows", "waived_rows", "message_zh", "observed")


class NeverAudited(WarehouseError):
    """The gate has not looked at what is asked for."""


class ThresholdError(WarehouseError):
    """A threshold is not written as CHECK=NUMBER."""


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(
        help="List what the gate found; explain, run and judge its checks.", invoke_without_command=True
    )
    group.callback()(checks)
    for name, command in (
        ("list", listed),
        ("explain", explain),
        ("run", run),
        ("judge", judge),
        ("compare", compare),
        ("findings", found),
    ):
        group.command(name)(command)
    app.add_typer(group, name="checks")


def checks(
    ctx: typer.Context,
    *,
    release: ReleaseNo = None,
    every: Annotated[bool, typer.Option("--all", help="Those that passed, too.")] = False,
    as_json: Json = False,
) -> None:
    """List what the gate found: checks that failed, how many rows, and the SQL that shows them."""
    if ctx.invoked_subcommand:
        return
    verdict = _audited(release)
    rows = [
        {"release_id": verdict.release_id, **vars(result)}
        for result in verdict.results
        if every or not result.is_fine
    ]
    if as_json:
        print_json(rows)
        return
    print_rows(rows, ("release_id", *RESULT), title="Checks", empty="Every check passed.")


def listed(*, only: Only = "*", as_json: Json = False) -> None:
    """List the declared checks: the question each answers, of what, how grave, who mends it; and idle waivers."""
    from expectations import trial  # noqa: PLC0415

    declared = trial.catalogue(only).checks
    rows = [
        {**check.model_dump(mode="json"), "scope": check.scope or f"table {check.id.split('.')[0]}"}
        for check in declared
    ]
    if as_json:
        print_json(rows)
        return
    columns = ("check_id", "question", "scope", "dimension", "severity", "threshold", "owner", "since")
    print_rows(
        [{"check_id": row["id"], **row} for row in rows], columns, title=f"{len(rows)} checks", empty=""
    )
    if only == "*":
        _show_idle_waivers([check.id for check in declared if check.severity == "warning"])


def explain(check: Annotated[str, typer.Argument(help="Id of the check.")], *, as_json: Json = False) -> None:
    """Say what a check asks, what it says when the answer is no, how it went in the last releases, and where."""
    from expectations import trial  # noqa: PLC0415
    from expectations.results import trend  # noqa: PLC0415

    declared = trial.explained(check)
    history = trend(engine(Role.AUDITOR), check, limit=10)
    if as_json:
        print_json({"check": declared.model_dump(mode="json"), "trend": history})
        return
    facts: dict[str, Any] = {
        "question": declared.question,
        "says": f"{declared.message_zh} / {declared.message_en}",
        "expected": declared.expectation.expected(),
        "asked of": declared.scope or f"table {check.split('.', maxsplit=1)[0]}",
        "dimension": declared.dimension,
        "severity": declared.severity,
        "threshold": f"{declared.measure} > {declared.threshold:g}",
        "who mends it": declared.owner,
        "since": declared.since,
        "expectation": declared.expectation.type,
    }
    for name, value in facts.items():
        console.print(f"[bold]{name:<13}[/bold] {told(str(value))}", highlight=False, soft_wrap=True)
    columns = (
        "release_id",
        "attempt",
        "status",
        "failing_rows",
        "waived_rows",
        "new_rows",
        "denominator",
        "checked_at",
    )
    print_rows(history, columns, title="\nLast releases", empty="Never run here.")


def run(*, only: Only = "*", as_json: Json = False) -> None:
    """Run checks now over the open candidate, else the current release. Changes nothing; exit code 1 on failure."""
    from expectations import trial  # noqa: PLC0415

    results = trial.run(get_settings(), only)
    not_passed = [result for result in results if not result.is_fine]
    if as_json:
        print_json(results)
    else:
        print_rows(not_passed, RESULT, title="Not passed", empty=f"{len(results)} checks run, all passed.")
    if not_passed:
        raise typer.Exit(1)


def judge(
    *,
    threshold: Annotated[
        list[str], typer.Option("--threshold", help="CHECK=NUMBER; may be given several times.")
    ],
    release: ReleaseNo = None,
    as_json: Json = False,
) -> None:
    """Say what checks would say with other thresholds, from what was kept: nothing is scanned again."""
    from expectations import history  # noqa: PLC0415

    rows = history.judge(engine(Role.AUDITOR), dict(_threshold(text) for text in threshold), release)
    if as_json:
        print_json(rows)
        return
    columns = (
        "check_id",
        "measure",
        "threshold_before",
        "threshold",
        "status_before",
        "status",
        "failing_rows",
        "waived_rows",
        "denominator",
    )
    print_rows(rows, columns, title="Judged again", empty="")


def compare(
    a: Annotated[int, typer.Argument(help="The earlier release.")],
    b: Annotated[int, typer.Argument(help="The later release.")],
    *,
    as_json: Json = False,
) -> None:
    """Say which checks changed between two releases, and how many failures came, went and stayed."""
    from expectations import history  # noqa: PLC0415

    for release in (a, b):
        _audited(release)
    rows = history.compare(engine(Role.AUDITOR), a, b)
    if as_json:
        print_json(rows)
        return
    columns = ("check_id", "severity", "status_a", "status_b", "rows_a", "rows_b", "came", "went", "stayed")
    print_rows(
        filter(_tells, rows), columns, title=f"Release {a} → {b}", empty="No check says anything else."
    )


def found(
    *,
    only: Only = "*",
    subject: Annotated[str | None, typer.Option(help="Code of a unit or region.")] = None,
    release: ReleaseNo = None,
    waived: Annotated[bool, typer.Option("--waived", help="Those that a waiver covers, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the places where checks failed: unit, form, indicator, period, value, expected value, likely cause."""
    from expectations import findings  # noqa: PLC0415

    _audited(release)
    rows = findings.failing(engine(Role.AUDITOR), release, only=only, subject=subject, waived=waived)
    if as_json:
        print_json(rows)
        return
    columns = (
        "check_id",
        "subject_code",
        "item",
        "period_start",
        "observed",
        "expected",
        "score",
        "cause",
        "waiver",
    )
    print_rows(rows, columns, title="Findings", empty="No finding.")


def _show_idle_waivers(waivable: list[str]) -> None:
    from expectations import waivers  # noqa: PLC0415

    settings = get_settings()
    today = datetime.now(ZoneInfo(settings.timezone)).date()
    for waiver, why in waivers.idle_on(settings, today, waivable):
        console.print(
            f"{waivers.FILE}: {waiver.ticket} covers nothing, {why}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _tells(row: dict[str, Any]) -> bool:
    """False for a check that passed at one release and had nothing to ask at the other: no news for a person."""
    return bool(row["came"] or row["went"] or not {row["status_a"], row["status_b"]} <= {*FINE})


def _audited(release: int | None) -> "Verdict":
    """The gate's last word on a release: that nothing failed must not be said of what nobody looked at."""
    from expectations.results import last_verdict  # noqa: PLC0415

    verdict = last_verdict(engine(Role.AUDITOR), release)
    if verdict is None:
        asked = (
            "The gate has not run here yet." if release is None else f"Release {release} was never audited."
        )
        raise NeverAudited(asked, mend="See the releases: warehouse releases")
    return verdict


def _threshold(written: str) -> tuple[str, float]:
    name, _, number = written.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise ThresholdError(
            f"{written!r} is no threshold.",
            mend="Write it as CHECK=NUMBER, for example series.outlier_idr_monthly=12",
        ) from None
