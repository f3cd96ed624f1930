"""A quote that is closed only far below takes no row away; cells that have lines keep them."""

import polars as pl
import pytest

from ingestion.readers import delimited
from ingestion.readers.delimited import read_delimited


def read(lines: list[str]) -> tuple[pl.DataFrame, dict[int, str]]:
    (table,) = read_delimited("\n".join(lines).encode(), "x.csv")
    frame = pl.concat(table.batches(0, 1000), how="diagonal")
    return frame, {row: finding.rule_id for row, finding in table.told.items()}


def rows(count: int) -> list[str]:
    return ["编号,姓名,日期", *(f"K{n},构造人,2015-01-05" for n in range(count))]


@pytest.mark.parametrize("block", [64, 1 << 20])
@pytest.mark.parametrize(("opened", "closed"), [(3, 4), (3, 6), (3, 70)])
def test_rows_between_two_stray_quotes_stay_rows_and_are_told(monkeypatch, block, opened, closed):
    monkeypatch.setattr(delimited, "BLOCK", block)
    plain = rows(80)
    lines = list(plain)
    lines[opened] = '"' + lines[opened]
    lines[closed] = lines[closed] + '"'
    frame, told = read(lines)
    assert frame.rows() == [tuple(line.split(",")) for line in plain]
    assert told == {opened + 1: "QUOTE_CLOSED_LATE"}


def test_a_cell_with_lines_is_one_cell():
    lines = [*rows(3), 'K9,"构造人\n又名，构造,人\n住址",2015-01-05', *rows(2)[1:]]
    frame, told = read(lines)
    assert frame.height == 7
    assert frame["c1"][4] == "构造人\n又名，构造,人\n住址"
    assert told == {}
