"""The rules of a form, evaluated over all reports of a reading at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from ingestion.check_frame import CheckContext, frame_for
from ingestion.explain import likely_causes
from ingestion.findings import Finding, Level, cell_name
from ingestion.form import CodeList, Form, Rule
from ingestion.printed import Places, shown
from ingestion.reading import Reading
from ingestion.rule_tests import Of, Test, tests_of

__all__ = [
    "CheckContext",
    "Verdicts",
    "check",
    "check_against",
    "evaluate",
    "fields_against",
]

_COMPUTED = {
    "total_of": "各分项之和",
    "count_records": "记录数",
    "count_where": "符合条件的记录数",
    "share": "所占比重",
    "count_reports": "本文件报来的单位数",
    "times_in_file": "出现次数",
    "active_units": "机构目录中的单位数",
}


def check(reading: Reading, context: CheckContext) -> list[Finding]:
    """Findings of the form's rules for the reports of a reading."""
    form = reading.form
    if reading.records.is_empty() or not form.rules:
        return []
    tests = tests_of(form)
    # One run over all of it: each step by itself costs more than a small report's rules.
    frame = frame_for(reading, context, [part for test in tests for part in test.parts]).collect()
    places = Places(reading)
    findings = _judge(frame, [test for test in tests if test.of == "record"], places)
    batch = [test for test in tests if test.of == "batch"]
    if batch:
        findings += _judge(_counting(frame, [*reading.findings, *findings]), batch, places)
    for rule in form.rules:
        if rule.parts_add_up:
            findings += _add_up(form, rule, frame, places)
    findings.sort(key=lambda finding: finding.report_no or 0)
    return findings


def check_against(reading: Reading, context: CheckContext, other: str) -> list[tuple[Finding, str]]:
    """Findings of those rules that ask for a report of the form ``other``, each with the first field they ask of it."""
    asking = _asking(reading.form, other)
    frame = frame_for(reading, context, [part for test, _ in asking for part in test.parts]).collect()
    places = Places(reading)
    return [(finding, code) for test, code in asking for finding in _judge(frame, [test], places)]


def fields_against(form: Form, other: str) -> frozenset[str]:
    """The form's own fields that its rules on reports of the form ``other`` name."""
    parts = [part for test, _ in _asking(form, other) for part in test.parts]
    return frozenset(name for part in parts for name in (*part.fields, *part.summed))


def _asking(form: Form, other: str) -> list[tuple[Test, str]]:
    """The form's expressions that ask for a report of another form, each with the first field asked."""
    asking = []
    for test in tests_of(form):
        names = [name.partition(".") for part in test.parts for name in part.same_period]
        asked = [code for code_of_form, _, code in names if code_of_form == other]
        if asked:
            asking.append((test, asked[0]))
    return asking


@dataclass(frozen=True)
class Verdicts:
    """Which records fail which expressions of a form, before anything is told about them."""

    rows: pl.LazyFrame
    tests: Sequence[Test]
    failed: pl.DataFrame
    places: Places

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The records with everything that the expressions name; made only where something is to be told."""
        return self.rows.collect()

    @property
    def failing(self) -> list[int]:
        """Numbers of the expressions that some record fails."""
        return [number for number, failed in enumerate(self.failed) if failed.any()]

    def findings(self, number: int, where: pl.Series) -> list[Finding]:
        """A finding for each record in ``where`` on the failed expression of this number."""
        test = self.tests[number]
        rows = _told(self.frame, test).filter(where)
        return [_finding(self.places, test, row) for row in rows.iter_rows(named=True)]


def evaluate(reading: Reading, context: CheckContext, of: Of = "record") -> Verdicts:
    """Evaluate what the form asks of each record, of a whole batch of cards, or of cards and their ``previous``."""
    tests = [test for test in tests_of(reading.form) if test.of == of]
    rows = frame_for(reading, context, [part for test in tests for part in test.parts])
    # One run that looks only at what the tests name: most batches of cards fail none of them.
    return Verdicts(rows, tests, rows.select(_tested(tests)).collect(), Places(reading))


# Rules that are expressions


def _counting(frame: pl.DataFrame, findings: Sequence[Finding]) -> pl.DataFrame:
    """Records of a form of cards without those that a hard finding sets aside."""
    aside = {
        (finding.report_no, finding.record_no)
        for finding in findings
        if finding.record_no is not None and finding.severity == "hard"
    }
    if not aside:
        return frame
    gone = pl.DataFrame(list(aside), schema={"report_no": pl.Int64, "record_no": pl.Int64}, orient="row")
    return frame.join(gone, on=["report_no", "record_no"], how="anti", maintain_order="left")


def _judge(frame: pl.DataFrame, tests: Sequence[Test], places: Places) -> list[Finding]:
    verdicts = _verdicts(frame, tests)
    findings = []
    for number, test in enumerate(tests):
        failed = verdicts[str(number)]
        if not failed.any():
            continue
        rows = _told(frame, test).filter(failed)
        if test.rule.once_per_report or test.rule.once_per_reporter:
            once = "report_no" if test.rule.once_per_report else "report.group"
            rows = rows.unique(once, keep="first", maintain_order=True)
        findings += [_finding(places, test, row) for row in rows.iter_rows(named=True)]
    return findings


def _told(frame: pl.DataFrame, test: Test) -> pl.DataFrame:
    """The frame with the counts and sums that a message tells."""
    return frame.with_columns(
        expression.alias(f"told.{name}") for name, expression in test.check.computed.items()
    )


def _verdicts(frame: pl.DataFrame, tests: Sequence[Test]) -> pl.DataFrame:
    """A column for each expression: whether a record fails it."""
    return frame.select(_tested(tests))


def _tested(tests: Sequence[Test]) -> list[pl.Expr]:
    return [
        (~test.check.polars & (test.when.polars if test.when else True))
        .fill_null(value=False)
        .alias(str(number))
        for number, test in enumerate(tests)
    ]


def _finding(places: Places, test: Test, row: Mapping[str, Any]) -> Finding:
    form, rule = places.form, test.rule
    said_zh, said_en = [], []
    filled = [code for code in test.check.fields if row.get(code) is not None]
    for code in filled or test.check.fields:
        cell, value = places.cell(row, code), shown(row.get(code))
        said_zh.append(f"{places.label(row, code)}{f'（{cell}）' if cell else ''}={value or '空'}")
        said_en.append(f"{code}{f' ({cell})' if cell else ''} = {value or 'blank'}")
    for code in test.check.previous:
        said_zh.append(f"上期{places.label(row, code)}={shown(row[f'previous.{code}']) or '空'}")
        said_en.append(f"previous {code} = {shown(row[f'previous.{code}']) or 'blank'}")
    for name in test.check.yearly:
        said_zh.append(f"月报合计={shown(row[f'yearly.{name}']) or '空'}")
        said_en.append(f"sum of the monthly reports = {shown(row[f'yearly.{name}']) or 'blank'}")
    for name in test.check.same_period:
        said_zh.append(f"同期另一报表（{name}）={shown(row[f'same.{name}']) or '空'}")
        said_en.append(f"{name} of the same period = {shown(row[f'same.{name}']) or 'blank'}")
    for name in test.check.computed:
        value = shown(row[f"told.{name}"]) or "空"
        said_zh.append(f"{_COMPUTED[name.split()[0]]}={value}")
        said_en.append(f"{name} = {value}")
    at = rule.at or test.value or _first_filled(test.check.fields, row)
    breakdowns = "/".join(str(row[f.code]) for f in form.breakdowns)
    personal = any(_may_name(form, code) for code in test.check.fields)
    sets_aside = form.cards is not None and rule.severity == "hard" and not rule.once_per_report
    return Finding(
        rule_id=rule.id,
        level=rule.level or _level(test),
        severity=rule.severity,
        message_zh=rule.message_zh + (f"（{'；'.join(said_zh)}）" if said_zh and not personal else ""),
        message_en=rule.message_en + (f" ({'; '.join(said_en)})" if said_en and not personal else ""),
        report_no=None if rule.once_per_reporter else row["report_no"],
        sheet=row["source_sheet"],
        cell=places.cell(row, at) if at else cell_name(row["source_row"], row["source_column"] or 1),
        field_code=at,
        breakdown=breakdowns or None,
        value=None if at is None or personal else shown(row.get(at)),
        record_no=row["record_no"] if sets_aside else None,
    )


def _may_name(form: Form, code: str) -> bool:
    """Whether what stands in a field may say who somebody is; on cards any free text may."""
    field = form.by_code[code]
    free = field.type == "text" or (field.type == "code" and field.code_list is None)
    return field.personal is not None or (form.cards is not None and free)


def _first_filled(codes: list[str], row: Mapping[str, Any]) -> str | None:
    return next((code for code in codes if row.get(code) is not None), codes[0] if codes else None)


def _level(test: Test) -> Level:
    if any(part.previous for part in test.parts):
        return "history"
    beyond = any(part.unit or part.yearly or part.same_period or part.active_units for part in test.parts)
    return "unit" if beyond else "report"


# Totals and their parts


def _add_up(form: Form, rule: Rule, frame: pl.DataFrame, places: Places) -> list[Finding]:
    """A total is judged wherever it and at least one of its parts are given."""
    adds = rule.parts_add_up
    assert adds is not None  # noqa: S101 - the caller chose the rule by it
    codes = form.code_lists[form.by_code[adds.over].code_list or ""]
    memberships = _memberships(codes, adds.totals)
    # Parts add up within the same member of every other breakdown.
    others = [f.code for f in form.breakdowns if f.code != adds.over]
    keys = ["report_no", "report.occurrence", *others]
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
    form: Form, rule: Rule, measure: str, *, codes: CodeList, row: Mapping[str, Any], places: Places
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
        shown(value) for value in (row[measure], row["sum"], row[measure] - row["sum"])
    )
    name = f"“{places.members(row)}”{form.by_code[measure].name_zh}"
    members = "/".join(str(row[f.code]) for f in form.breakdowns)
    return Finding(
        rule_id=rule.id,
        level=rule.level or "report",
        severity=rule.severity,
        message_zh=f"{rule.message_zh}：{name}（{cell}）填{printed}，各项之和为{sum_}，相差{difference}"
        + "".join(f"；{cause}" for cause, _ in causes),
        message_en=f"{rule.message_en}: {members} {measure} ({cell}) is {printed}, its parts sum to {sum_}, "
        f"difference {difference}" + "".join(f"; {cause}" for _, cause in causes),
        report_no=row["report_no"],
        sheet=row["source_sheet"],
        cell=cell,
        field_code=measure,
        breakdown=members,
        value=printed,
    )
