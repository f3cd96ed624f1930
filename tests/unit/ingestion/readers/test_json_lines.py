"""Lines of JSON say the same whether they are read as columns or one by one."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import UnreadableFile
from ingestion.readers import json_lines, read_tables
from ingestion.readers.blob import Blob
from ingestion.readers.cells import cell_text
from ingestion.readers.json_lines import Lines
from ingestion.readers.limits import Limits

MANY = json_lines._FEW + 2  # the last line stands in a block of its own

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_plain = st.one_of(
    st.none(),
    st.integers(-(10**16), 10**16),
    st.decimals(-(10**6), 10**6, places=3).map(float),
    st.sampled_from([0, 1.5, 0.1, 0.00001, 1e20, -0.0, "", "true", "0", "null", "1.50"]),
    st.text("abc医院0. -", max_size=4),
)
_any = st.one_of(_plain, _text, st.booleans(), st.floats(), st.lists(st.integers(), max_size=2))


def written(lines: list[str]) -> Lines:
    read = Lines(Blob("a.ndjson", data="\n".join(lines).encode()), Limits.of())
    assert read.begin_with_objects()
    return read


def told(read: Lines) -> tuple[list[list[str | None]], list[list[str | None]]]:
    """The rows of a stream, and those that are told line by line."""
    table = read.table()
    stream = [list(row) for frame in table.batches(0, 50) for row in frame.iter_rows()]
    one_by_one = [
        [(cell_text(value) or "").replace("\0", "\ufffd") or None for value in row] for row in read._rows()
    ]
    return stream, one_by_one


@settings(max_examples=150)
@given(st.data(), st.sampled_from([_plain, _any]))
def test_lines_say_the_same_either_way(data: st.DataObject, values: st.SearchStrategy[object]) -> None:
    keys = data.draw(st.lists(_text, min_size=1, max_size=4, unique=True))
    some = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(keys, values)), min_size=2, max_size=6))
    lines = [json.dumps(record, ensure_ascii=False) for record in some * (MANY // len(some) + 1)]
    stream, one_by_one = told(written(lines))
    assert stream == one_by_one


def test_plain_lines_are_read_as_columns() -> None:
    lines = [f'{{"机构 (编码)": "T-{n}", "人次": {n}, "率": 1.{n}5, "无": null}}\r' for n in range(MANY)]
    read = written(lines)
    read.table()
    assert read._plain == [("机构 (编码)", "人次", "率", "无"), None]


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1, "a": 2}',
        '{"b": 1}',
        '{"a": "\\u0041"}',
        '{"a": true}',
        '{"a": "true"}',
        '{"a": {"b": [1, null]}}',
        '{"a": 1.50}',
        '{"a": 1e3}',
        '{"a": -0}',
        '{"a": 12345678901234567890}',
        '{"a": 0.00001}',
        '{ "a" : 1 }',
        '{"a": ""}',
        "   ",
    ],
)
def test_a_line_unlike_the_others_is_read_as_it_stands(line: str) -> None:
    lines = ['{"a": 1}' for _ in range(MANY)]
    lines[40] = line
    if line.count('"a"') == 2:
        with pytest.raises(UnreadableFile, match="line 41"):
            written(lines).table()
        return
    stream, one_by_one = told(written(lines))
    assert stream == one_by_one
    assert len(stream) == MANY + bool(line.strip())


def test_blocks_end_where_lines_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_BLOCK", 1500)
    records = [{"a": n, "b": f"医院{n}", **({"c": "甲"} if n > 700 else {})} for n in range(900)]
    path = tmp_path / "a.ndjson"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records))
    (table,) = read_tables(path)
    frames = list(table.batches(1, 100))
    assert [frame.height for frame in frames] == [100] * 9
    whole = pl.concat(frames)
    assert whole["c0"].to_list() == [str(n) for n in range(900)]
    assert whole["c2"].to_list() == [None] * 701 + ["甲"] * 199
    assert [row[1] for row in table.rows_below(1).iter_rows()] == [f"医院{n}" for n in range(900)]
