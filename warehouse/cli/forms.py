"""Commands about forms and what reporters get: the list, one form, its blank workbook, workbooks to correct."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warehouse.cli.output import App, Json, console, plain, print_json, print_rows
from warehouse.database import Role, engine
from warehouse.errors import SettingsError
from warehouse.settings import Settings, get_settings

if TYPE_CHECKING:
    from ingestion.form import Edition, Form

Code = Annotated[str, typer.Argument(help="Code of the form, or its Chinese name (see: warehouse forms).")]
EditionCode = Annotated[
    str | None, typer.Option("--edition", help="Edition of the form; the newest if left out.")
]


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(help="List the forms, show one, write its blank workbook.", invoke_without_command=True)
    group.callback()(forms)
    for command in (show, template):
        group.command()(command)
    app.add_typer(group, name="forms")
    app.command()(corrections)


def forms(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the forms that are known here: the built-in ones and those of WAREHOUSE_FORMS."""
    if ctx.invoked_subcommand:
        return
    from ingestion.forms_catalogue import load_forms  # noqa: PLC0415

    rows = [_summary(form) for form in load_forms(get_settings()).values()]
    if as_json:
        print_json(rows)
        return
    columns = ("code", "name_zh", "period", "subject", "due", "editions", "fields", "rules")
    print_rows(
        [{**row, "editions": ", ".join(row["editions"])} for row in rows],
        columns,
        title=f"{len(rows)} forms",
        empty="No form.",
    )


def show(code: Code, *, edition: EditionCode = None, as_json: Json = False) -> None:
    """Show a form: who files it when, its fields, its rules, its codes."""
    form = find_form(get_settings(), code)
    from ingestion.workbooks.plan import edition_of  # noqa: PLC0415

    chosen = edition_of(form, edition, None)
    described = _described(form, chosen)
    if as_json:
        print_json(described)
        return
    _print(form, chosen, described)


def template(
    code: Code,
    *,
    out: Annotated[Path, typer.Option(help="The workbook to write (.xlsx).", dir_okay=False)],
    edition: EditionCode = None,
    period: Annotated[
        str | None, typer.Option(help="Period written into it: 2015-03, 2015Q1, 2015; its edition is taken.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="Unit or region written into it; may be given several times.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, max=5000, help="Rows for units, in a form with a row per unit.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the blank workbook of a form for its reporters: labels, drop-downs, cell checks, how to fill it in."""
    form = find_form(get_settings(), code)
    from ingestion.workbooks import plan  # noqa: PLC0415
    from ingestion.workbooks.template import write_template  # noqa: PLC0415

    units = plan.known_units(get_settings(), form, unit or ())
    blank = write_template(
        form,
        out,
        edition=edition,
        period=plan.period_of(form, period) if period else None,
        units=units,
        rows=rows or max(len(units), 1 if units else plan.ROWS),
    )
    if as_json:
        print_json({"form": form.code, "edition": blank.edition.code, "written": out, "sheets": blank.sheets})
    else:
        console.print(
            f"{out}: {form.name_zh}, {blank.edition.name_zh}, {len(blank.columns)} columns,"
            f" {len(blank.rows)} rows to fill in",
            highlight=False,
            soft_wrap=True,
        )


def corrections(
    report: Annotated[
        int | None, typer.Argument(help="Number of the report (see: warehouse quarantine).")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="The workbook to write (.xlsx), or a folder.")],
    unit: Annotated[
        str | None, typer.Option(help="All that is in quarantine of this unit, a workbook for each file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the unit's own file with its faulty cells marked, to be mended and sent again."""
    from ingestion.workbooks.corrections import correct_report, correct_unit  # noqa: PLC0415

    if (report is None) == (unit is None):
        raise SettingsError(
            "Give either a report or a unit.", mend="warehouse corrections 54 --out mend.xlsx"
        )
    loader, settings = engine(Role.LOADER), get_settings()
    if report is not None:
        written = [correct_report(loader, settings, report, out)]
    else:
        written = correct_unit(loader, settings, str(unit), out)
    if as_json:
        print_json(written)
        return
    rows = [
        {**plain(one), "reports": ", ".join(map(str, one.reports)), "workbook": str(one.path)}
        for one in written
    ]
    print_rows(
        rows,
        ("workbook", "reports", "findings", "cells", "file_name"),
        title="",
        empty=f"Nothing of unit {unit} is in quarantine.",
    )


def find_form(settings: Settings, said: str) -> "Form":
    """The form of this code or name; raises FormError with the nearest ones."""
    from ingestion.errors import FormError  # noqa: PLC0415
    from ingestion.forms_catalogue import load_forms  # noqa: PLC0415

    catalogue = load_forms(settings)
    by_name = {form.name_zh: form.code for form in catalogue.values()}
    code = by_name.get(said, said)
    if code in catalogue:
        return catalogue[code]
    names = difflib.get_close_matches(said, [*catalogue, *by_name], n=3, cutoff=0.4)
    near = list(dict.fromkeys(by_name.get(str(name), str(name)) for name in names))
    raise FormError(
        f"There is no form {said!r}.",
        mend=f"Nearest: {', '.join(near)}." if near else "See: warehouse forms",
        form=said,
        nearest=near,
    )


def _summary(form: "Form") -> dict[str, Any]:
    return {
        "code": form.code,
        "name_zh": form.name_zh,
        "name_en": form.name_en,
        "period": form.period.type,
        "subject": form.subject.type,
        "records": form.cards.noun_zh if form.cards else None,
        "due": _due(form),
        "editions": [edition.code for edition in form.editions],
        "fields": len(form.fields),
        "rules": len(form.rules),
    }


def _due(form: "Form") -> str | None:
    if form.due is None:
        return None
    day, months = form.due.day, form.due.months_after
    return f"day {day} of the next month" if months == 1 else f"day {day}, {months} months after"


def _described(form: "Form", edition: "Edition") -> dict[str, Any]:
    """The form as one edition has it, in JSON's own types."""
    definition = form.definition()
    codes = {item.code for item in form.fields_of(edition.code)}
    return {
        **definition,
        "due_rule": _due(form),
        "edition": edition.code,
        "fields": [item for item in definition["fields"] if item["code"] in codes],
    }


def _print(form: "Form", edition: "Edition", described: dict[str, Any]) -> None:
    console.print(f"[bold]{form.code}[/bold]  {form.name_zh}  {form.name_en}", highlight=False)
    facts = {
        "edition": f"{edition.code} {edition.name_zh}, valid from {edition.valid_from or 'ever'}"
        + (f" until {edition.valid_to}" if edition.valid_to else ""),
        "form number": edition.form_number or form.form_numbers,
        "period": form.period.type,
        "subject": form.subject.type,
        "one row is": form.cards.noun_zh if form.cards else None,
        "filed by": form.filed_by,
        "received by": form.received_by,
        "due": "; ".join(said for said in (_due(form), form.due_note) if said),
        "feeds": form.feeds,
        "special values": ", ".join(f"{value} {why}" for value, why in form.special_values.items()),
        "verification": form.verification,
    }
    for name, what in facts.items():
        if what:
            console.print(f"{name}: {what}", style="dim", highlight=False, markup=False, soft_wrap=True)
    for note in form.notes:
        console.print(f"· {note}", highlight=False, markup=False, soft_wrap=True)
    fields = [
        {
            **item,
            "label": item["labels"][0],
            "other_labels": " | ".join(item["labels"][1:]),
            "unit": " → ".join(filter(None, (item["source_unit"], item["unit"]))),
            "required": "yes" if item["required"] else "",
            "code_list": item["code_list"] or item["format"] or "",
            "section": item["section"] or "",
        }
        for item in described["fields"]
    ]
    columns = ("code", "label", "section", "type", "unit", "role", "required", "code_list", "other_labels")
    print_rows(fields, columns, title="\nFields", empty="No field.")
    rules = [{**rule, "expression": _expression(rule), "rule_id": rule["id"]} for rule in described["rules"]]
    rule_columns = ("rule_id", "severity", "message_zh", "expression", "verification")
    print_rows(rules, rule_columns, title="\nRules", empty="\nNo rule.")
    if described.get("statements"):
        elsewhere = [{**one, "checks": ", ".join(one["checks"])} for one in described["statements"]]
        print_rows(elsewhere, ("id", "text_zh", "why", "checks"), title="\nSeen to elsewhere", empty="")
    for code_list in form.code_lists.values():
        words = ", ".join(f"{code.code} {code.labels[0]}" for code in code_list.codes)
        console.print(f"\n[dim]Codes {code_list.code}[/dim] {code_list.name_zh}", highlight=False)
        console.print(words, highlight=False, markup=False, soft_wrap=True)


def _expression(rule: dict[str, Any]) -> str:
    adds = rule["parts_add_up"]
    if adds:
        return (
            f"{', '.join(adds['measures'])}: {', '.join(adds['totals'])} = sum of parts over {adds['over']}"
        )
    each = f"  for each of {', '.join(rule['for_each'])}" if rule["for_each"] else ""
    when = f"  when {rule['when']}" if rule["when"] else ""
    return f"{rule['check']}{each}{when}"
