from datetime import date, datetime

import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from ingestion import record_rows
from ingestion.load import copy_binary, copy_frame
from ingestion.raw import FormChanged, prepare
from warehouse.database import Role, make_engine

FORM = """
code: site_form
name_zh: 构造本地表
name_en: Constructed site form
subject: {type: organization, identify_by: [organization_code]}
period: {type: month, fields: [report_month]}
due: {months_after: 1, day: 5}
editions: [{code: "1", name_zh: 第一版, valid_from: 2010-01-01}]
fields:
  - {code: organization_code, labels: [机构编码], type: code, role: identity}
  - {code: report_month, labels: [统计年月], type: date, role: identity}
  - {code: ward, labels: [病区], type: text, role: breakdown}
  - {code: patients, labels: [在院人数], type: int, unit: 人, nature: stock}
layouts: [{code: table, kind: table}]
"""


@pytest.fixture
def site_form(bureau, tmp_path):
    """Write the site's own form and prepare the database for it."""
    folder = tmp_path / "forms"
    folder.mkdir()

    def write(definition: str):
        (folder / "site_form.yml").write_text(definition, encoding="utf-8")
        bureau.settings = bureau.settings.model_copy(update={"forms": (folder,)})
        return prepare(bureau.settings)

    return write


def columns(bureau) -> list[str]:
    return [
        name
        for (name,) in bureau.rows(
            "select column_name from information_schema.columns"
            " where table_schema = 'raw' and table_name = 'site_form' order by ordinal_position"
        )
    ]


def test_forms_are_prepared_once(bureau):
    before = bureau.rows("select form_code, loaded_at from registry.form order by 1")
    assert not prepare(bureau.settings)
    assert bureau.rows("select form_code, loaded_at from registry.form order by 1") == before


def test_form_from_a_folder_gets_its_table_and_takes_in_files(bureau, site_form):
    assert site_form(FORM).forms == ("site_form",)
    assert columns(bureau) == [
        "revision_id", "record_no", "ward", "patients", "null_reasons", "source_sheet", "source_row", "source_column",
    ]  # fmt: skip
    bureau.send_bytes(
        "site.csv", "机构编码,统计年月,病区,在院人数\nT-1,2015-01,内科,12\nT-1,2015-01,外科,\n".encode()
    )
    assert bureau.take_in().reports == {"new": 1}
    assert bureau.rows("select ward, patients from raw.site_form order by record_no") == [
        ("内科", 12),
        ("外科", None),
    ]


def test_new_field_is_added_and_old_rows_stay(bureau, site_form):
    site_form(FORM)
    bureau.send_bytes("site.csv", "机构编码,统计年月,病区,在院人数\nT-1,2015-01,内科,12\n".encode())
    bureau.take_in()
    more = FORM.replace(
        "layouts:", "  - {code: beds, labels: [床位], type: int, unit: 张, nature: stock}\nlayouts:"
    )
    site_form(more)
    assert columns(bureau)[-1] == "beds"
    assert bureau.rows("select patients, beds from raw.site_form") == [(12, None)]
    assert bureau.value("select count(*) from registry.form_field where form_code = 'site_form'") == 5


def test_removed_field_keeps_its_column(bureau, site_form):
    site_form(FORM)
    site_form("\n".join(line for line in FORM.splitlines() if "code: ward" not in line))
    assert "ward" in columns(bureau)


def test_changed_type_is_refused(bureau, site_form):
    site_form(FORM)
    with pytest.raises(FormChanged, match="patients"):
        site_form(FORM.replace("type: int", "type: dec"))


def test_columns_say_what_they_are(bureau, site_form):
    site_form(FORM)
    described = bureau.rows(
        "select a.attname, col_description(a.attrelid, a.attnum) from pg_attribute a"
        " where a.attrelid = 'raw.site_form'::regclass and a.attnum > 0"
    )
    comments = dict(tuple(row) for row in described)
    assert comments["patients"] == "在院人数（人）"
    assert all(comments.values())


def test_builder_reads_raw_tables_and_readers_cannot(bureau, site_form):
    site_form(FORM)
    with make_engine(bureau.settings, Role.BUILDER).connect() as connection:
        assert connection.scalar(text("select count(*) from raw.site_form")) == 0
    with make_engine(bureau.settings, Role.READER).connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text("select * from raw.site_form"))


@pytest.mark.parametrize("copy", [copy_frame, copy_binary])
def test_copy_tells_null_from_empty_text_and_keeps_every_character(bureau, copy):
    frame = pl.DataFrame(
        {
            "t": ["", None, 'a,"b"', "一\n二", "\\N", "\\."],
            "n": [1, None, -5, 2**53, 0, 3],
            "d": [date(2015, 1, 31), None, None, None, None, None],
            "at": [None, datetime(2015, 1, 31, 8, 30), None, None, None, None],  # noqa: DTZ001 - as files say it
            "yes": [True, False, None, None, None, None],
            "nothing": pl.Series([None] * 6, dtype=pl.String),
        }
    )
    with bureau.owner.begin() as connection:
        connection.execute(
            text(
                "create temporary table target (t text, n bigint, d date, at timestamp, yes boolean, nothing text)"
            )
        )
        assert copy(connection, "pg_temp", "target", frame) == 6
        rows = connection.execute(text("select t, n, d, at, yes, nothing from target")).all()
    assert [tuple(row) for row in rows] == frame.rows()


def test_many_records_come_into_the_raw_table_as_few_do(bureau, monkeypatch):
    rows = [bureau.row(f"T-{unit}", visits=2000 + unit) for unit in (1, 2)]
    for row in rows:
        del row["revenue"]  # an exact number, without which the report waits
    bureau.send("few.csv", *rows)
    bureau.take_in()
    monkeypatch.setattr(record_rows, "MANY_RECORDS", 1)
    monkeypatch.setattr(record_rows, "copy_frame", None)
    monkeypatch.setattr(record_rows, "_write_positions", lambda *_args, **_more: None)
    bureau.send("many.csv", *({**row, "discharges": 121} for row in rows))
    assert bureau.take_in().reports == {"quarantined": 2}
    told = "select visits_total, staff_technical, record_no, source_sheet, source_row from raw.hosp_monthly"
    first, second, third, fourth = bureau.rows(f"{told} order by revision_id")
    assert (first, second) == (third, fourth)
