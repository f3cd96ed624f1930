"""The quick ways of reading columns say what the careful reader says, cell by cell."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.cards.columns import ColumnReader
from ingestion.form import Code, CodeList, FormField
from ingestion.values import to_type

SEX = CodeList(
    code="sex",
    name_zh="性别",
    source="test",
    codes=(Code(code="1", labels=("男", "男性")), Code(code="2", labels=("女",))),
)

WORDS = [
    "-",
    "--",
    "/",
    "无",
    "…",
    "...",
    "男",
    "1",
    "２",
    "3.0",
    "2015-01-02",
    "2015/1/2",
    "2015年1月2日",
    "20150102",
    "2015-02-30",
    "2015-1-2",
    "42005",
    "1899-12-31",
    "2100-01-01",
    "+015-01-02",
    "是",
    "否",
    "Ｋ１",
    "a\u00a0b",
    "0301",
    "2015-13-01",
    "2015-01-02T08:30",
    "A00.1",
    "张三",
    "1,000",
    "12%",
]
MOMENTS = [
    "2015-01-02 08:30",
    "2015-01-02 08:30:15",
    "2015-1-2 8:30",
    "2015-01-02 00:00:00",
    "2015-01-02 24:00",
]

written = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "K1 ", " K1", "K 1", *WORDS, *MOMENTS]),
    st.text(max_size=12),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%d %H:%M")),
)


@pytest.mark.parametrize("kind", ["text", "code", "list", "date", "datetime", "flag", "int", "dec"])
@given(cells=st.lists(written, min_size=1, max_size=20), times=st.sampled_from([1, 5]))
@settings(max_examples=150)
def test_a_column_is_read_as_its_cells_would_be(kind, cells, times):
    listed = kind == "list"
    field = FormField(
        code="f",
        labels=("F",),
        type="code" if listed else kind,
        role="attribute",
        code_list="sex" if listed else None,
    )
    column = pl.Series("f", cells * times, dtype=pl.String)
    codes = SEX if listed else None
    careful = to_type(column, field, codes)
    reader = ColumnReader([field], {"sex": SEX})
    # The second batch is read with what the first taught.
    for _ in range(2):
        quick = reader.read(column.to_frame())["f"]
        assert quick.values.to_list() == careful.values.to_list()
        assert quick.values.dtype == careful.values.dtype
        assert quick.faults.to_list() == careful.faults.to_list()
