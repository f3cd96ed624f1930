"""Raw tables: one per form, made from the form's definition, only ever widened."""

import json
from dataclasses import dataclass

import structlog
from psycopg import sql
from sqlalchemy import Connection, text

from ingestion.form import Form, FormField
from ingestion.forms_catalogue import Catalogue, load_forms
from warehouse.database import Role, make_engine, role_name
from warehouse.errors import WarehouseError
from warehouse.settings import Settings
from warehouse.star import execute

log = structlog.get_logger()

SQL_TYPES = {
    "int": "bigint",
    "dec": "numeric",
    "text": "text",
    "code": "text",
    "date": "date",
    "datetime": "timestamp without time zone",
    "flag": "boolean",
}

FIXED_COLUMNS = {
    "revision_id": ("bigint", "版本，见 registry.revision"),
    "record_no": ("integer", "报表内记录序号"),
    "null_reasons": ("jsonb", "空值原因：字段代码 → 原因代码（如 not_carried_out）；没有时为空"),
    "source_sheet": ("text", "来源工作表"),
    "source_row": ("integer", "来源行号（从1起）；按列放记录时为空"),
    "source_column": ("integer", "来源列号（从1起）；按行放记录时为空"),
}

CARD_COLUMNS = {
    "set_aside": ("text", "单独搁置的原因：未通过的规则，以逗号分隔；为空的卡才计数"),
}
"""Columns that only forms of cards have."""

_FORM = """
insert into registry.form as f
    (form_code, edition, name_zh, name_en, period_type, subject_type, definition, definition_hash)
values (
    :form_code, :edition, :name_zh, :name_en, :period_type, :subject_type, cast(:definition as jsonb), :hash
)
on conflict (form_code, edition) do update set
    name_zh = excluded.name_zh, name_en = excluded.name_en, period_type = excluded.period_type,
    subject_type = excluded.subject_type, definition = excluded.definition,
    definition_hash = excluded.definition_hash, loaded_at = now()
where f.definition_hash <> excluded.definition_hash
"""

_FIELD = """
insert into registry.form_field as f
    (form_code, field_code, ordinal, role, data_type, name_zh, unit, source_unit, nature)
values (:form_code, :field_code, :ordinal, :role, :data_type, :name_zh, :unit, :source_unit, :nature)
on conflict (form_code, field_code) do update set
    ordinal = excluded.ordinal, role = excluded.role, data_type = excluded.data_type,
    name_zh = excluded.name_zh, unit = excluded.unit, source_unit = excluded.source_unit,
    nature = excluded.nature
"""

_COLUMNS = """
select a.attname, format_type(a.atttypid, null)
from pg_attribute as a
where a.attrelid = to_regclass(:table) and a.attnum > 0 and not a.attisdropped
"""


class FormChanged(WarehouseError):
    """A form's new definition contradicts data that is stored already."""


class FormsNotPrepared(WarehouseError):
    """The database does not know the forms as they are defined now."""


@dataclass(frozen=True)
class Prepared:
    """Which forms were new or had changed."""

    forms: tuple[str, ...]

    def __bool__(self) -> bool:
        """True if any form changed."""
        return bool(self.forms)


def prepare(settings: Settings, *, catalogue: Catalogue | None = None) -> Prepared:
    """Bring raw tables and ``registry.form`` to the forms as defined now, as owner, in one transaction.

    Tables that are missing are created, columns that are missing are added; nothing is ever dropped.
    Where nothing changed nothing is written. Raises :class:`FormChanged` when a field changed its type.
    """
    forms = catalogue if catalogue is not None else load_forms(settings)
    engine = make_engine(settings, Role.OWNER)
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(hashtext('registry.form'))"))
            changed = _unprepared(connection, forms)
            for form in changed:
                _make_table(connection, settings, form)
                _register(connection, form)
    finally:
        engine.dispose()
    if changed:
        log.info("forms prepared", forms=[form.code for form in changed])
    return Prepared(tuple(form.code for form in changed))


def require_prepared(connection: Connection, catalogue: Catalogue) -> None:
    """Raise :class:`FormsNotPrepared` unless the database knows every form as it is defined now."""
    missing = [form.code for form in _unprepared(connection, catalogue)]
    if missing:
        raise FormsNotPrepared(
            f"The database does not know the present definition of: {', '.join(missing)}.",
            mend="Run: warehouse up",
            forms=missing,
        )


def _unprepared(connection: Connection, catalogue: Catalogue) -> list[Form]:
    """Forms whose present definition the database does not know."""
    known = set(
        connection.execute(text("select form_code, edition, definition_hash from registry.form")).all()
    )
    return [
        form
        for form in catalogue.values()
        if any((form.code, edition.code, form.definition_hash) not in known for edition in form.editions)
    ]


def _make_table(connection: Connection, settings: Settings, form: Form) -> None:
    table = sql.Identifier("raw", form.code)
    known = {
        str(name): str(kind)
        for name, kind in connection.execute(text(_COLUMNS), {"table": f'raw."{form.code}"'}).all()
    }
    if not known:
        execute(
            connection,
            sql.SQL("create table {} ({}{})").format(
                table,
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
                    for name, kind in _layout(form).items()
                ),
                sql.SQL("" if form.cards else ", primary key (revision_id, record_no)"),
            ),
        )
        if form.cards:
            # A million cards a file: a unique index would cost a third of their load. The cards of a revision lie
            # side by side, so the ranges of blocks that hold them are enough to find them.
            execute(
                connection,
                sql.SQL(
                    "create index on {} using brin (revision_id) with (pages_per_range = 16, autosummarize)"
                ).format(table),
            )
        for role, rights in (
            (Role.LOADER, "select, insert"),
            (Role.BUILDER, "select"),
            (Role.AUDITOR, "select"),
        ):
            grantee = sql.Identifier(role_name(settings, role))
            execute(connection, sql.SQL(f"grant {rights} on {{}} to {{}}").format(table, grantee))
    for name, kind in _layout(form).items() if known else ():
        if name not in known:
            execute(
                connection,
                sql.SQL("alter table {} add column {} {}").format(table, sql.Identifier(name), sql.SQL(kind)),
            )
        elif known[name] != kind:
            raise FormChanged(
                f"Field {name} of form {form.code} is {known[name]} in the database and would become {kind}.",
                mend="Give the changed field a code of its own, or keep its type.",
                form=form.code,
                field=name,
            )
    _comment(connection, form)


def _layout(form: Form) -> dict[str, str]:
    """Columns of the raw table with their types, in order."""
    cards = CARD_COLUMNS if form.cards else {}
    taken = {*FIXED_COLUMNS, *cards, *form.person_columns} & {field.code for field in form.columns}
    if taken:
        raise FormChanged(
            f"Form {form.code} has a field called {min(taken)}, which every raw table has already.",
            mend="Give the field another code.",
            form=form.code,
        )
    first, last = list(FIXED_COLUMNS)[:2], list(FIXED_COLUMNS)[2:]
    return {
        **{name: FIXED_COLUMNS[name][0] for name in first},
        **{field.code: SQL_TYPES[field.type] for field in form.columns},
        **dict.fromkeys(form.person_columns, "text"),
        **{name: kind for name, (kind, _) in cards.items()},
        **{name: FIXED_COLUMNS[name][0] for name in last},
    }


def _comment(connection: Connection, form: Form) -> None:
    table = sql.Identifier("raw", form.code)
    grain = f"{form.name_zh}。Grain: one row per revision and record. Only revisions that are current count."
    if form.cards:
        grain += " A row with set_aside never counts."
    statements = [sql.SQL("comment on table {} is {}").format(table, sql.Literal(grain))]
    comments = {name: comment for name, (_, comment) in FIXED_COLUMNS.items()}
    comments |= {field.code: _describe(field) for field in form.columns} | form.person_columns
    comments |= {name: comment for name, (_, comment) in (CARD_COLUMNS if form.cards else {}).items()}
    for name, comment in comments.items():
        column = sql.Identifier("raw", form.code, name)
        statements.append(sql.SQL("comment on column {} is {}").format(column, sql.Literal(comment)))
    # One message to the server for all of them: a catalogue of forms has a thousand columns.
    execute(connection, sql.SQL("; ").join(statements))


def _describe(field: FormField) -> str:
    unit = field.source_unit or field.unit
    return f"{field.name_zh}（{unit}）" if unit else field.name_zh


def _register(connection: Connection, form: Form) -> None:
    definition = json.dumps(form.definition(), ensure_ascii=False)
    connection.execute(
        text(_FORM),
        [
            {
                "form_code": form.code,
                "edition": edition.code,
                "name_zh": form.name_zh,
                "name_en": form.name_en,
                "period_type": form.period.type,
                "subject_type": form.subject.type,
                "definition": definition,
                "hash": form.definition_hash,
            }
            for edition in form.editions
        ],
    )
    connection.execute(
        text(_FIELD),
        [
            {
                "form_code": form.code,
                "field_code": field.code,
                "ordinal": ordinal,
                "role": field.role,
                "data_type": field.type,
                "name_zh": field.name_zh,
                "unit": field.unit,
                "source_unit": field.source_unit,
                "nature": field.nature,
            }
            for ordinal, field in enumerate(form.fields, start=1)
        ],
    )
