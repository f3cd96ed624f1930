"""The rules of a form, evaluated over all reports of a reading at once."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import polars as pl

from ingestion.explain import likely_causes
from ingestion.expressions import Expression, compile_expression
from ingestion.findings import Finding, Level, cell_name
from ingestion.form import CodeList, Form, Rule, previous_period_start
from ingestion.readers.table import number_text
from ingestion.reading import Reading


@dataclass(frozen=True)
class CheckContext:
    """What the registry knows besides the file; every frame may be empty.

    ``units``: subject_ref, organization_key, organization_code and the unit's attributes in the period.
    ``previous``: current records of the period before, for the same subjects: subject_ref, the form's
    columns and ``period_start``, the first day of that earlier period. What the file itself holds of the
    period before comes first. ``yearly``: subject_ref, form_code, field_code, value: sums over the current
    monthly reports of the year. ``units`` and ``yearly`` may have a ``period_start`` of the report they
    are for; it is then matched too.
    """

    units: pl.DataFrame = field(default_factory=pl.DataFrame)
    previous: pl.DataFrame = field(default_factory=pl.DataFrame)
    yearly: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True)
class _Test:
    """One expression to evaluate: a rule, or a rule for one of its fields."""

    rule: Rule
    check: Expression
    when: Expression | None
    value: str | None

    @property
    def parts(self) -> list[Expression]:
        return [self.check, self.when] if self.when else [self.check]


def check(reading: Reading, context: CheckContext) -> list[Finding]:
    """Findings of the form's rules for the reports of a reading."""
    form = reading.form
    if reading.records.is_empty() or not form.rules:
        return []
    tests = _tests(form)
    frame = _frame(reading, context, tests)
    places = _Places(reading)
    findings = _judge(frame, tests, places)
    for rule in form.rules:
        if rule.parts_add_up:
            findings += _add_up(form, rule, frame, places)
    findings.sort(key=lambda finding: finding.report_no or 0)
    return findings


@lru_cache(maxsize=256)
def _tests(form: Form) -> tuple[_Test, ...]:
    """The form's expressions, compiled once."""
    types = {f.code: f.type for f in form.fields}
    tests = []
    for rule in form.rules:
        if rule.check is None:
            continue
        for value in rule.for_each or (None,):
            when = compile_expression(rule.when, types, value=value) if rule.when else None
            tests.append(_Test(rule, compile_expression(rule.check, types, value=value), when, value))
    return tuple(tests)


# The frame that expressions are evaluated over


def _frame(reading: Reading, context: CheckContext, tests: Sequence[_Test]) -> pl.DataFrame:
    """Records with everything that the expressions name as columns."""
    form = reading.form
    wide = form.layout_named(reading.layout).kind == "wide"
    breakdowns = [f.code for f in form.breakdowns]
    reports = reading.reports.select("report_no", "subject_ref", "period_start", "period_end")
    frame = reading.records.join(reports, on="report_no", how="left", maintain_order="left").with_columns(
        ((pl.col("period_end") - pl.col("period_start")).dt.total_days() + 1).alias("period.days"),
        pl.col("period_end").dt.month().cast(pl.Int64).alias("period.month"),
        (pl.col("source_row") if wide else pl.lit(0, dtype=pl.Int64)).alias("report.occurrence"),
        (pl.col(breakdowns[0]) if breakdowns else pl.lit(None, dtype=pl.String)).alias("report.member"),
    )
    expressions = [part for test in tests for part in test.parts]
    frame = _with_units(frame, context.units, {name for part in expressions for name in part.unit})
    previous = sorted({name for part in expressions for name in part.previous})
    frame = _with_previous(form, frame, context.previous, previous)
    frame = _with_yearly(frame, context.yearly, {name for part in expressions for name in part.yearly})
    named = {name for part in expressions for name in part.fields}
    identities = [pl.lit(None, dtype=form.by_code[n].dtype).alias(n) for n in named if n not in frame.columns]
    return frame.with_columns(identities)


def _with_units(frame: pl.DataFrame, units: pl.DataFrame, wanted: set[str]) -> pl.DataFrame:
    given = [name for name in wanted if name in units.columns] if "subject_ref" in units.columns else []
    if given:
        keys = [key for key in ("subject_ref", "period_start") if key in units.columns]
        unit = units.select(*keys, *(pl.col(name).alias(f"unit.{name}") for name in given)).unique(
            keys, keep="first"
        )
        frame = frame.join(unit, on=keys, how="left", maintain_order="left")
    # An attribute that nobody knows is unknown, and so is the rule that asks for it.
    rest = [
        pl.lit(None, dtype=_unit_type(name)).alias(f"unit.{name}") for name in wanted if name not in given
    ]
    return frame.with_columns(rest)


def _unit_type(name: str) -> pl.DataType:
    return pl.Boolean() if name.startswith(("is_", "has_")) else pl.String()


def _with_previous(form: Form, frame: pl.DataFrame, stored: pl.DataFrame, wanted: list[str]) -> pl.DataFrame:
    if not wanted:
        return frame
    keys = ["subject_ref", "period_start", *(f.code for f in form.breakdowns)]
    here = frame.select(*keys, *wanted).unique(keys, keep="none")
    sources = [here]
    if {*keys, *wanted} <= set(stored.columns):
        types = {name: here.schema[name] for name in (*keys, *wanted)}
        sources.append(stored.select(pl.col(name).cast(dtype) for name, dtype in types.items()))
    before = pl.concat(sources).unique(keys, keep="first", maintain_order=True)
    before = before.rename({"period_start": "before_start", **{name: f"previous.{name}" for name in wanted}})
    spans = frame.select("period_start", "period_end").unique().rows()
    starts: dict[dt.date, dt.date] = {
        start: previous_period_start(form.period.type, start, end) for start, end in spans
    }
    frame = frame.with_columns(
        pl.col("period_start")
        .replace_strict(starts, default=None, return_dtype=pl.Date)
        .alias("before_start")
    )
    on = ["subject_ref", "before_start", *(f.code for f in form.breakdowns)]
    return frame.join(before, on=on, how="left", maintain_order="left", nulls_equal=True).drop("before_start")


def _with_yearly(frame: pl.DataFrame, yearly: pl.DataFrame, wanted: set[str]) -> pl.DataFrame:
    for name in sorted(wanted):
        form_code, code = name.split(".")
        column = f"yearly.{name}"
        if "subject_ref" not in yearly.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(column))
            continue
        keys = [key for key in ("subject_ref", "period_start") if key in yearly.columns]
        one = yearly.filter((pl.col("form_code") == form_code) & (pl.col("field_code") == code))
        one = one.select(*keys, pl.col("value").cast(pl.Float64).alias(column)).unique(keys, keep="first")
        frame = frame.join(one, on=keys, how="left", maintain_order="left")
    return frame


# Rules that are expressions


def _judge(frame: pl.DataFrame, tests: Sequence[_Test], places: "_Places") -> list[Finding]:
    verdicts = frame.select(
        (~test.check.polars & (test.when.polars if test.when else True))
        .fill_null(value=False)
        .alias(str(number))
        for number, test in enumerate(tests)
    )
    findings = []
    for number, test in enumerate(tests):
        failed = verdicts[str(number)]
        if not failed.any():
            continue
        rows = frame.filter(failed)
        if test.rule.once_per_report:
            rows = rows.unique("report_no", keep="first", maintain_order=True)
        findings += [_finding(places, test, row) for row in rows.iter_rows(named=True)]
    return findings


def _finding(places: "_Places", test: _Test, row: Mapping[str, Any]) -> Finding:
    form, rule = places.form, test.rule
    said_zh, said_en = [], []
    filled = [code for code in test.check.fields if row.get(code) is not None]
    for code in filled or test.check.fields:
        cell, value = places.cell(row, code), _shown(row.get(code))
        said_zh.append(f"{places.label(row, code)}{f'（{cell}）' if cell else ''}={value or '空'}")
        said_en.append(f"{code}{f' ({cell})' if cell else ''} = {value or 'blank'}")
    for code in test.check.previous:
        said_zh.append(f"上期{places.label(row, code)}={_shown(row[f'previous.{code}']) or '空'}")
        said_en.append(f"previous {code} = {_shown(row[f'previous.{code}']) or 'blank'}")
    for name in test.check.yearly:
        said_zh.append(f"月报合计={_shown(row[f'yearly.{name}']) or '空'}")
        said_en.append(f"sum of the monthly reports = {_shown(row[f'yearly.{name}']) or 'blank'}")
    at = rule.at or test.value or _first_filled(test.check.fields, row)
    breakdowns = "/".join(str(row[f.code]) for f in form.breakdowns)
    personal = any(form.by_code[code].personal for code in test.check.fields)
    return Finding(
        rule_id=rule.id,
        level=rule.level or _level(test),
        severity=rule.severity,
        message_zh=rule.message_zh + (f"（{'；'.join(said_zh)}）" if said_zh and not personal else ""),
        message_en=rule.message_en + (f" ({'; '.join(said_en)})" if said_en and not personal else ""),
        report_no=row["report_no"],
        sheet=row["source_sheet"],
        cell=places.cell(row, at) if at else cell_name(row["source_row"], row["source_column"] or 1),
        field_code=at,
        breakdown=breakdowns or None,
        value=None if at is None or personal else _shown(row.get(at)),
    )


def _first_filled(codes: list[str], row: Mapping[str, Any]) -> str | None:
    return next((code for code in codes if row.get(code) is not None), codes[0] if codes else None)


def _level(test: _Test) -> Level:
    if any(part.previous for part in test.parts):
        return "history"
    return "unit" if any(part.unit or part.yearly for part in test.parts) else "report"


# Totals and their parts


def _add_up(form: Form, rule: Rule, frame: pl.DataFrame, places: "_Places") -> list[Finding]:
    """A total is judged wherever it and at least one of its parts are given."""
    adds = rule.parts_add_up
    assert adds is not None  # noqa: S101 - the caller chose the rule by it
    codes = form.code_lists[form.by_code[adds.over].code_list or ""]
    memberships = _memberships(codes, adds.totals)
    keys = ["report_no", "report.occurrence"]
    findings = []
    for measure in adds.measures:
        cells = frame.filter(pl.col(measure).is_not_null())
        parts = (
            cells.join(memberships, left_on=adds.over, right_on="member")
            .filter(
                (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("period_end")))
                & (pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("period_start")))
            )
            .group_by(*keys, "total", maintain_order=True)
            .agg(
                pl.col(measure).sum().alias("sum"),
                pl.col(adds.over).alias("members"),
                pl.col(measure).alias("values"),
            )
        )
        wrong = (
            cells.filter(pl.col(adds.over).is_in(adds.totals))
            .join(parts, left_on=[*keys, adds.over], right_on=[*keys, "total"], maintain_order="left")
            .filter((pl.col(measure) - pl.col("sum")).abs() > adds.tolerance + 1e-9)
        )
        for row in wrong.iter_rows(named=True):
            findings.append(_sum_finding(form, rule, measure, codes=codes, row=row, places=places))
    return findings


def _memberships(codes: CodeList, totals: tuple[str, ...]) -> pl.DataFrame:
    rows = [
        (code.code, spell.parent, spell.valid_from, spell.valid_to)
        for code in codes.codes
        for spell in code.spells
        if spell.parent in totals
    ]
    schema = {"member": pl.String, "total": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _sum_finding(
    form: Form, rule: Rule, measure: str, *, codes: CodeList, row: Mapping[str, Any], places: "_Places"
) -> Finding:
    adds = rule.parts_add_up
    assert adds is not None  # noqa: S101
    total = row[adds.over]
    given = dict(zip(row["members"], row["values"], strict=True))
    expected = codes.parts_of(total, row["period_start"], row["period_end"])
    causes = likely_causes(
        row[measure],
        {codes.by_code[member].labels[0]: value for member, value in given.items()},
        [codes.by_code[member].labels[0] for member in expected if member not in given],
    )
    cell = places.cell(row, measure)
    printed, sum_, difference = (
        _shown(value) for value in (row[measure], row["sum"], row[measure] - row["sum"])
    )
    name = f"“{codes.by_code[total].labels[0]}”{form.by_code[measure].name_zh}"
    return Finding(
        rule_id=rule.id,
        level=rule.level or "report",
        severity=rule.severity,
        message_zh=f"{rule.message_zh}：{name}（{cell}）填{printed}，各项之和为{sum_}，相差{difference}"
        + "".join(f"；{cause}" for cause, _ in causes),
        message_en=f"{rule.message_en}: {total} {measure} ({cell}) is {printed}, its parts sum to {sum_}, "
        f"difference {difference}" + "".join(f"; {cause}" for _, cause in causes),
        report_no=row["report_no"],
        sheet=row["source_sheet"],
        cell=cell,
        field_code=measure,
        breakdown=total,
        value=printed,
    )


class _Places:
    """Names of cells and fields as the sender sees them."""

    def __init__(self, reading: Reading) -> None:
        self.form = reading.form
        self.known = {
            (sheet, code): (row, column)
            for sheet, code, row, column in reading.positions.select(
                "sheet", "field_code", "source_row", "source_column"
            ).iter_rows()
        }

    def cell(self, row: Mapping[str, Any], code: str) -> str | None:
        own_row, own_column = row["source_row"], row["source_column"]
        field_row, field_column = self.known.get((row["source_sheet"], code), (None, None))
        return cell_name(
            own_row if own_row is not None else field_row,
            own_column if own_column is not None else field_column,
        )

    def label(self, row: Mapping[str, Any], code: str) -> str:
        """The field's printed name, behind the member of the breakdown it is for."""
        item = self.form.by_code[code]
        members = []
        for breakdown in self.form.breakdowns if item.role == "measure" else ():
            member = row.get(breakdown.code)
            codes = self.form.code_lists.get(breakdown.code_list or "")
            known = codes.by_code.get(str(member)) if codes else None
            members.append(known.labels[0] if known else str(member or ""))
        return "".join([*members, item.name_zh])


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return number_text(float(value))
    return str(value)
