"""Damage that is found only when later rows of a file of cards are read: refused and told, not tried for ever."""

import io

import polars as pl

from ingestion import rederive
from tests.integration.ingestion.test_cards import LABELS, as_csv, card


def many(count: int) -> list[dict[str, object]]:
    """Cards that differ by their numbers."""
    one = card(1)
    return [{**one, "card_no": f"K{no:06}"} for no in range(count)]


def test_a_file_damaged_far_below_is_refused_once(bureau):
    stream = io.BytesIO()
    cards = [{LABELS[name]: str(value) for name, value in one.items()} for one in many(30_000)]
    pl.DataFrame(cards).write_parquet(stream, row_group_size=2_000, compression="snappy")
    content = bytearray(stream.getvalue())
    middle = len(content) * 2 // 3
    content[middle : middle + 4_000] = bytes(range(255, 5, -1)) * 16
    bureau.send_bytes("cards.parquet", bytes(content), source="cdc")
    assert bureau.take_in("cdc").by_status == {"unreadable": 1}
    assert bureau.take_in("cdc").files == ()
    for dry_run in (True, False):
        again = rederive.rederive(bureau.settings, waiting_only=True, reason="test", dry_run=dry_run)
        assert (again.files, again.changes, again.failed) == (1, (), ())
    assert bureau.value("select count(*) from raw.idr_card") == 0
    assert bureau.rows("select rule_id, severity from registry.finding") == [("FILE_UNREADABLE", "hard")]


def test_lines_below_a_quote_that_is_never_closed_are_not_lost(bureau):
    lines = as_csv(many(30)).decode().split("\n")
    lines[10] = '"' + lines[10]
    bureau.send_bytes("cards.csv", "\n".join(lines).encode(), source="cdc")
    assert bureau.take_in("cdc").by_status == {"unreadable": 1}
    assert bureau.value("select count(*) from raw.idr_card") == 0
    assert "引号" in bureau.value("select message_zh from registry.finding")


def test_a_quote_that_is_open_at_the_very_end_loses_nothing(bureau):
    text = as_csv(many(3)).decode().rstrip("\n")
    place = text.rfind(",") + 1
    bureau.send_bytes("cards.csv", (text[:place] + '"' + text[place:]).encode(), source="cdc")
    assert bureau.take_in("cdc").reports == {"new": 1}
    assert bureau.value("select count(*) from raw.idr_card") == 3


def test_rows_between_two_stray_quotes_are_cards_of_their_own(bureau):
    lines = as_csv(many(30)).decode().split("\n")
    lines[10] = '"' + lines[10]
    lines[20] = '"' + lines[20]
    bureau.send_bytes("cards.csv", "\n".join(lines).encode(), source="cdc")
    assert bureau.take_in("cdc").reports == {"new": 1}
    assert bureau.value("select count(*) from raw.idr_card") == 30
    assert bureau.value("select cell from registry.finding where rule_id = 'QUOTE_CLOSED_LATE'") == "A11"


def test_cards_above_the_labels_are_told(bureau):
    lines = as_csv(many(5)).decode().split("\n")
    moved = ["传染病报告卡", lines[1], lines[2], lines[0], *lines[3:]]
    bureau.send_bytes("cards.csv", "\n".join(moved).encode(), source="cdc")
    assert bureau.take_in("cdc").reports == {"new": 1}
    assert bureau.value("select count(*) from raw.idr_card") == 3
    assert bureau.rows("select rule_id, severity, cell from registry.finding") == [
        ("ROW_ABOVE_LABELS", "soft", "A2")
    ]
