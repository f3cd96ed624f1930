"""Nothing of a person in a file reaches a table, a log, a finding or a file of the instance but the kept one."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from ingestion import inbox, intake
from ingestion.cards import batch
from ingestion.rederive import rederive
from tests.integration.ingestion.test_cards import LABELS, as_csv, card, number
from warehouse.logs import configure_logs

SECRETS = [
    "欧阳构造甲", "构造乙某", "构造丙家长", "赵构造", "钱构造",
    number("19771103", 71), number("19630228", 73), "440507196302287312",
    "13912345678", "15087654321", "0754-88612345", "13700001111",
    "龙湖区金砂路88号3栋502", "珠池街道碧霞庄9号", "构造第一小学三年级2班",
]  # fmt: skip
"""Made up, and long enough to stand nowhere by chance."""

WIDE = {
    **LABELS,
    "parent_name": "患儿家长姓名",
    "workplace": "工作单位（学校）",
    "address": "现住详细地址",
    "report_org": "报告单位",
}


def planted() -> list[dict[str, object]]:
    """Cards with persons in the right columns, in wrong ones, and in cells that cannot be read."""
    return [
        card(
            1,
            name=SECRETS[0],
            id_no=SECRETS[5],
            birth_date="1977-11-03",
            phone=SECRETS[8],
            address=SECRETS[12],
        ),
        card(2, name=SECRETS[1], id_no="", phone=SECRETS[9], parent_name=SECRETS[2], workplace=SECRETS[14]),
        card(3, name=SECRETS[0], id_no=SECRETS[7], address=SECRETS[13]),  # a number whose digits are wrong
        card(4, sex=SECRETS[3]),  # a name where a code belongs
        card(5, diagnosis_time=SECRETS[8]),  # a telephone where a date belongs
        card(6, disease_code=SECRETS[6]),
        card(7, birth_date=SECRETS[1], onset_date=SECRETS[4]),
        card(8, report_org=SECRETS[8]),  # a telephone where a stored code belongs
        card(9, report_org=SECRETS[6]),
        card(10, report_org=SECRETS[12]),
        card(11, report_org=SECRETS[3]),
        {**card(12), "card_no": SECRETS[3]},  # a name where the number of the card belongs
        {**card(13, id_no=SECRETS[5]), "card_no": SECRETS[5]},
        {**card(16), "card_no": SECRETS[9]},  # a telephone there, in a column of other numbers
        card(14, address_code=SECRETS[13], occupation=SECRETS[10]),
        card(15, card_category=SECRETS[11], case_class_1=SECRETS[2]),
    ]


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def database_text(bureau) -> str:
    tables = bureau.rows(
        "select format('%I.%I', schemaname, tablename) from pg_tables"
        " where schemaname not in ('pg_catalog', 'information_schema')"
    )
    return "\n".join(
        str(row) for (table,) in tables for row in bureau.rows(f"select t::text from {table} as t")
    )


def folder_text(folder: Path, *, but: list[Path]) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and not any(path.is_relative_to(other) for other in but):
            yield path.read_bytes().decode("utf-8", errors="replace")


@pytest.fixture
def watched(bureau, server, capfd):
    """A bureau, and a function that finds the planted words wherever something was written."""
    configure_logs()

    def found() -> list[str]:
        shown = capfd.readouterr()
        written = [database_text(bureau), shown.out, shown.err]
        settings = bureau.settings
        written += folder_text(settings.home, but=[settings.inbox, settings.file_store])
        written += [log.read_text(errors="replace") for log in server.home.rglob("*.log")]
        return sorted({leak for text in written for leak in leaks(text)})

    return bureau, found


def as_text(cards: list[dict[str, object]], *, more: dict[str, str] | None = None) -> bytes:
    names = [*WIDE, *(more or {})]
    labels = {**WIDE, **(more or {})}
    lines = [",".join(labels[name] for name in names)]
    lines += [",".join(str(one.get(name, "")) for name in names) for one in cards]
    return ("\n".join(lines) + "\n").encode()


def test_nothing_planted_in_a_file_of_cards_is_found_anywhere(watched):
    bureau, found = watched
    bureau.send_bytes("cards.csv", as_text(planted()), source="cdc")
    result = bureau.take_in("cdc")
    assert result.reports == {"new": 1}
    assert bureau.value("select count(*) from raw.idr_card") == 16
    told = {row[0] for row in bureau.rows("select distinct rule_id from registry.finding")}
    assert {"VALUE_CHECK_DIGIT", "VALUE_UNREADABLE", "CARD_INCOMPLETE", "PERSON_MISPLACED"} <= told
    assert found() == []


def test_the_planted_words_are_found_where_they_may_be(watched):
    bureau, _ = watched
    bureau.send_bytes("cards.csv", as_text(planted()), source="cdc")
    bureau.take_in("cdc")
    kept = "".join(folder_text(bureau.settings.file_store, but=[]))
    assert set(leaks(kept)) == set(SECRETS) - {SECRETS[10], SECRETS[11]} | {SECRETS[10], SECRETS[11]}


def test_columns_that_the_form_has_not_are_told_without_their_words(watched):
    bureau, found = watched
    cards = [card(n, extra=SECRETS[n]) for n in range(1, 4)]
    bureau.send_bytes(
        "cards.csv", as_text(cards, more={"extra": SECRETS[0], "more": f"备注{SECRETS[8]}"}), source="cdc"
    )
    bureau.take_in("cdc")
    assert bureau.value("select count(*) from registry.finding where rule_id = 'COLUMN_UNKNOWN'") == 2
    assert found() == []


def test_a_file_without_labels_says_nothing(watched):
    bureau, found = watched
    bureau.send_bytes("cards.csv", as_text(planted()).split(b"\n", 1)[1], source="cdc")
    bureau.take_in("cdc")
    assert bureau.value("select count(*) from raw.idr_card") == 0
    assert found() == []


def test_a_workbook_keeps_persons_out_too(watched):
    bureau, found = watched
    book = openpyxl.Workbook()
    book.active.append(list(WIDE.values()))
    for one in planted():
        book.active.append([one.get(name) for name in WIDE])
    stream = io.BytesIO()
    book.save(stream)
    bureau.send_bytes("cards.xlsx", stream.getvalue(), source="cdc")
    bureau.take_in("cdc")
    assert bureau.value("select count(*) from raw.idr_card") == 16
    assert found() == []


def as_workbook(bureau, **sheets: list[dict[str, object]]) -> bytes:
    """Monthly reports of hospitals, a sheet for each name."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(list(bureau.columns.values()))
        for row in rows:
            sheet.append([row.get(code) for code in bureau.columns])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_persons_in_names_of_files_members_and_sheets_and_in_cells_of_units_and_periods_are_not_kept(watched):
    bureau, found = watched
    telephone, citizen = SECRETS[8], SECRETS[5]
    content = as_workbook(
        bureau,
        **{
            citizen: [
                bureau.row(),
                bureau.row(telephone),
                bureau.row("T-2", month=telephone),
                bureau.row("T-2", visits=f"打电话{telephone}"),
            ],
            SECRETS[6]: [bureau.row("T-2", "2015-02", outpatient=9000)],
        },
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{citizen}/{telephone}.xlsx", content)
        archive.writestr(f"{citizen}.pdf", b"%PDF-1.4")
    bureau.send_bytes(f"{citizen}_201501.zip", packed.getvalue())
    result = bureau.take_in()
    assert result.reports == {"new": 1, "quarantined": 2, "unplaced": 1}
    told = {row[0] for row in bureau.rows("select distinct rule_id from registry.finding")}
    assert {"UNIT_UNKNOWN", "PERIOD_UNREADABLE", "VALUE_NOT_A_NUMBER", "MEMBER_UNREADABLE"} <= told
    assert found() == []
    assert bureau.value("select count(distinct source_sheet) from raw.hosp_monthly") == 2


def test_a_file_named_after_a_person_is_taken_in_once_and_found_by_its_content(watched):
    bureau, found = watched
    names = [f"{SECRETS[5]}.csv", f"{SECRETS[6]}.csv"]
    bureau.send(names[0], bureau.row(), day=1)
    bureau.send(names[1], bureau.row(), day=1)
    assert bureau.take_in().by_status == {"taken_in": 1, "duplicate": 1}
    assert inbox.waiting(bureau.settings, bureau.source()) == []
    digest = bureau.value("select sha256 from registry.file")
    done = rederive(bureau.settings, files=[digest[:12]], reason="constructed")
    assert done.files == 2
    assert found() == []


def test_an_error_amid_a_batch_is_logged_without_what_it_quotes(watched, monkeypatch):
    bureau, found = watched

    def broken(*_: object) -> None:
        raise ValueError(f"cannot read {SECRETS[0]} {SECRETS[8]}")

    monkeypatch.setattr(batch, "describe_person", broken)
    bureau.send_bytes("cards.csv", as_text(planted()), source="cdc")
    with pytest.raises(intake.LaneFailed) as failed:
        bureau.take_in("cdc")
    assert leaks(str(failed.value)) == []
    assert bureau.value("select count(*) from raw.idr_card") == 0
    assert found() == []


def test_a_dry_run_shows_nothing_of_them(watched, tmp_path):
    bureau, found = watched
    file = tmp_path / "cards.csv"
    file.write_bytes(as_csv(planted()))
    checked = intake.check(bureau.settings, file, bureau.source("cdc"))
    assert leaks(repr(checked)) == []
    assert found() == []


def test_only_the_loader_may_read_kept_files(watched):
    bureau, _ = watched
    bureau.send_bytes("cards.csv", as_text(planted()), source="cdc")
    bureau.take_in("cdc")
    store = bureau.settings.file_store
    assert store.stat().st_mode & 0o077 == 0
    kept = [path for path in store.rglob("*") if path.is_file()]
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
