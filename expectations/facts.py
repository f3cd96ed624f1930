"""Checks made from the facts' own descriptions: grain, completeness, and numbers equal to the reported ones.

A fact says in its YAML, under ``config.meta.checked``, what its rows stand for::

    checked:
      grain: [organization_key, form_code, period_type, period_start]
      measures: {visits_total: [hosp_monthly.visits_total, inst_annual_hospital.visits_total]}
      breakdown: [disease_code]     # columns that stand for the parts of fct_reported_value.breakdown, in order
      forms: [inpatient_front_page] # forms that feed it besides those of its measures
      complete: false               # not every report has rows here
      partial: true                 # numbers of some breakdowns are left out on purpose

From that come ``<fact>.grain``, ``<fact>.complete`` and ``<fact>.reconciles``. What this cannot say stands in the
suite of the table.
"""

# Names put into the SQL are those of the models under review.
# ruff: noqa: S608

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from expectations.catalogue import Check, Suite, WhenReported
from expectations.declarations import Document, read
from expectations.errors import CatalogueError
from expectations.kinds import AnyKind, Column, KeyUnique, NoRowsFromQuery
from warehouse.settings import CHECKOUT

MODELS = CHECKOUT / "dbt_project" / "models" / "dimensional"
SINCE = date(2026, 11, 22)

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")]


class Checked(BaseModel):
    """What the gate may hold against a fact."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grain: list[Column] = Field(min_length=1)
    measures: dict[Column, list[FieldName]] = Field(
        {}, description="Column: form_code.field_code, one or several."
    )
    breakdown: list[Column] = []
    forms: list[Column] = []
    complete: bool = True
    partial: bool = False

    @field_validator("measures", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {column: [fields] if isinstance(fields, str) else fields for column, fields in value.items()}

    @property
    def all_forms(self) -> list[str]:
        """Codes of the forms that feed the fact."""
        of_measures = {field.split(".")[0] for fields in self.measures.values() for field in fields}
        return sorted({*self.forms, *of_measures})


@dataclass(frozen=True)
class Fact:
    """A fact that says how it may be checked, with the columns of its contract."""

    table: str
    checked: Checked
    columns: dict[str, str]
    """Type by name."""


def suites(folder: Path = MODELS) -> list[Suite]:
    """One suite for each fact that says how it may be checked; raises :class:`CatalogueError` with file and line."""
    return [_suite(fact) for fact in facts(folder)]


def facts(folder: Path = MODELS) -> list[Fact]:
    """What the descriptions of the facts say under ``checked``."""
    found = []
    for file in sorted(folder.rglob("*.yml")):
        document = read(file)
        for number, model in enumerate((document.data or {}).get("models") or []):
            declared = ((model.get("config") or {}).get("meta") or {}).get("checked")
            if declared is not None:
                place = ("models", number, "config", "meta", "checked")
                columns = {
                    column["name"]: str(column.get("data_type", "")) for column in model.get("columns") or []
                }
                found.append(Fact(model["name"], _read(document, place, declared, columns), columns))
    return found


def _read(
    document: Document, place: tuple[str | int, ...], declared: Any, columns: dict[str, str]
) -> Checked:
    try:
        checked = Checked.model_validate(declared)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _error(document, (*place, *first["loc"]), f"{where}: {first['msg']}") from error
    named = {"grain": checked.grain, "measures": list(checked.measures), "breakdown": checked.breakdown}
    for word, names in named.items():
        for column in names:
            if column not in columns:
                raise _error(document, (*place, word), f"{column!r} is no column of the model")
    if checked.measures and "report_id" not in columns:
        raise _error(document, place, "measures are compared by report, and the model has no report_id")
    if len(checked.all_forms) > 1 and checked.measures and "form_code" not in columns:
        raise _error(document, place, "several forms feed it, so it needs a column form_code")
    return checked


def _suite(fact: Fact) -> Suite:
    checked, forms = fact.checked, fact.checked.all_forms
    return Suite(
        table=fact.table,
        key=checked.grain,
        scope="changed_periods" if {"period_type", "period_start"} <= set(fact.columns) else "everything",
        rows=WhenReported(when_reported=forms) if forms and checked.complete else "optional",
        checks=list(_checks(fact, forms)),
    )


def _checks(fact: Fact, forms: list[str]) -> Iterator[Check]:
    table, checked = fact.table, fact.checked
    key = ", ".join(checked.grain)
    yield _check(
        f"{table}.grain",
        f"Is there one row per {key}?",
        "conformance",
        KeyUnique(type="ExpectKeyToBeUnique", columns=checked.grain),
        (f"表 {table} 中同一键（{key}）出现多行", f"{table} has two rows for one {key}"),
    )
    if forms and checked.complete:
        yield _check(
            f"{table}.complete",
            f"Has every current report of {', '.join(forms)} its rows?",
            "completeness",
            _query(
                "select report.report_id, report.form_code, report.subject_code, report.period_start"
                " from candidate.dim_report as report"
                f" where report.form_code in ({_literals(forms)}) and report.revision_id is not null"
                " and report.record_count > 0 and $changed(report.report_id) and not exists"
                f" (select from candidate.{table} as fact where fact.report_id = report.report_id)"
            ),
            (f"已接收的报告没有进入表 {table}", f"an accepted report has no row in {table}"),
        )
    if checked.measures:
        yield _check(
            f"{table}.reconciles",
            f"Are the numbers of {table} those of the reports?",
            "consistency",
            _query(_reconciling(fact, forms)),
            (f"表 {table} 的数与报表数值不一致", f"a number of {table} differs from the reported one"),
        )


def _reconciling(fact: Fact, forms: list[str]) -> str:
    """Both sides by report, field and breakdown: what the fact shows, and what was reported."""
    table, checked = fact.table, fact.checked
    one = len(forms) == 1
    form = f"'{forms[0]}'::text" if one else "fact.form_code"
    breakdown = (
        " || '|' || ".join(f"coalesce(fact.{column}::text, '')" for column in checked.breakdown) or "''"
    )
    shown = ", ".join(
        f"('{field.split('.')[0]}', '{field.split('.')[1]}', fact.{column}{_as_number(fact.columns[column])})"
        for column, fields in checked.measures.items()
        for field in fields
    )
    fields = ", ".join(
        f"('{form}', '{code}')"
        for form, _, code in sorted(
            {field.partition(".") for fields in checked.measures.values() for field in fields}
        )
    )
    # A number of the reports that the fact has no row for is seen from their side.
    join = "left" if checked.partial else "full"
    return (
        "select report_id, field_code, breakdown, shown.value as fact_value, reported.value as reported_value from ("
        f"select fact.report_id, field.field_code, {breakdown} as breakdown, field.value"
        f" from candidate.{table} as fact"
        f" cross join lateral (values {shown}) as field (form_code, field_code, value)"
        f" where $changed(fact.report_id) and field.form_code = {form} and field.value is not null"
        f") as shown {join} join ("
        "select value.report_id, value.field_code, value.breakdown, value.value"
        " from candidate.fct_reported_value as value"
        f" where $changed(value.report_id) and (value.form_code, value.field_code) in ({fields})"
        " and value.value is not null"
        ") as reported using (report_id, field_code, breakdown)"
        " where shown.value is distinct from reported.value"
    )


def _as_number(data_type: str) -> str:
    return "::int::numeric" if data_type == "boolean" else "::numeric"


def _check(check_id: str, question: str, dimension: Any, kind: AnyKind, messages: tuple[str, str]) -> Check:
    return Check(
        id=check_id,
        question=question,
        dimension=dimension,
        severity="critical",
        since=SINCE,
        expectation=kind,
        message_zh=messages[0],
        message_en=messages[1],
    )


def _query(query: str) -> NoRowsFromQuery:
    return NoRowsFromQuery(type="ExpectNoRowsFromQuery", query=query)


def _literals(codes: list[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


def _error(document: Document, place: tuple[str | int, ...], what: str) -> CatalogueError:
    line = document.line(place)
    return CatalogueError(
        f"{document.file}:{line}: {what}.",
        mend="See expectations/facts.py for what may stand under checked.",
        file=str(document.file),
        line=line,
    )
