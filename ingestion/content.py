"""What a report says, as a fingerprint that no format, encoding or order of columns changes."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import polars as pl

from ingestion.form import Form

# Separators that no cell of text contains.
_UNIT, _RECORD = "\x1f", "\x1e"
# Up to so many records are looked at one by one.
FEW = 64

_Content = tuple[int, int, str]


def add_content_hash(
    form: Form, rows: pl.DataFrame, reports: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records in their final columns, and the reports with content_hash, value_count and nonzero_count.

    The content of a record is its filled fields in the order of their codes, with the reasons of its
    nulls and the text of cells that could not be typed; the content of a report is its records sorted.
    """
    content = _of_few(form, rows) if rows.height <= FEW else _of_many(form, rows)
    texts = [content.get(number, (0, 0, "")) for number in reports["report_no"].to_list()]
    hashes = [hashlib.sha256(text.encode()).hexdigest() for _, _, text in texts]
    # Frames are put together from columns: an expression costs a small file more than the rest of its reading.
    reports = reports.hstack(
        [
            pl.Series("value_count", [filled for filled, _, _ in texts], dtype=pl.Int64),
            pl.Series("nonzero_count", [nonzero for _, nonzero, _ in texts], dtype=pl.Int64),
            pl.Series("content_hash", hashes, dtype=pl.String),
        ]
    )
    if len(content) == rows.height:
        numbers = pl.Series([1] * rows.height, dtype=pl.Int64)
    elif rows.height <= FEW:
        seen: Counter[int] = Counter()
        numbers = pl.Series([_next(seen, number) for number in rows["report_no"]], dtype=pl.Int64)
    else:
        of_report = pl.col("report_no").cum_count().over("report_no").cast(pl.Int64)
        numbers = rows.select(of_report).to_series()
    records = pl.DataFrame(
        [
            rows.get_column("report_no"),
            numbers.alias("record_no"),
            *(rows.get_column(field.code) for field in form.columns),
            *(
                rows.get_column(name)
                for name in ("null_reasons", "source_sheet", "source_row", "source_column")
            ),
        ]
    )
    return records, reports


def _next(seen: Counter[int], number: int) -> int:
    seen[number] += 1
    return seen[number]


def _of_many(form: Form, rows: pl.DataFrame) -> dict[int, _Content]:
    """Content by report, told over whole columns."""
    breakdowns = [f.code for f in form.breakdowns]
    others = [f.code for f in form.columns if f.role != "breakdown"]
    said = _said(rows, sorted(others))
    body = pl.concat_str(said, separator=_UNIT, ignore_nulls=True)
    head = pl.lit("")
    if breakdowns:
        head = pl.concat_str([pl.col(code).fill_null("") for code in sorted(breakdowns)], separator=_UNIT)
    filled = pl.sum_horizontal([pl.col(f.code).is_not_null().cast(pl.Int64) for f in form.measures])
    nonzero = pl.sum_horizontal(
        [(pl.col(f.code).is_not_null() & (pl.col(f.code) != 0)).cast(pl.Int64) for f in form.measures]
    )
    rows = rows.select(
        "report_no", body.alias("body"), head.alias("head"), filled.alias("filled"), nonzero.alias("nonzero")
    )
    text = pl.when(pl.col("body") != "").then(pl.concat_str("head", "body", separator=_UNIT))
    if rows["report_no"].n_unique() == rows.height:
        content = rows.select("report_no", "filled", "nonzero", text.fill_null("").alias("content"))
    else:
        content = rows.group_by("report_no").agg(
            pl.col("filled", "nonzero").sum(),
            text.drop_nulls().sort().str.join(_RECORD).alias("content"),
        )
    return {number: (filled, nonzero, text or "") for number, filled, nonzero, text in content.iter_rows()}


def _said(rows: pl.DataFrame, codes: Sequence[str]) -> list[pl.Expr]:
    """What records say, field by field, then why they say nothing; null where nothing is said.

    Neighbouring columns without a null, as most are, make one text together.
    """
    said: list[pl.Expr] = []
    whole: list[pl.Expr] = []
    for name, column in [
        *((f"{code}=", rows.get_column(code)) for code in codes),
        ("null:", rows.get_column("null_reasons")),
        ("fault:", rows.get_column("faults")),
    ]:
        text = pl.col(column.name).cast(pl.String)
        if column.null_count() == 0:
            whole += [pl.lit(f"{_UNIT if whole else ''}{name}"), text]
            continue
        if whole:
            said.append(pl.concat_str(whole))
            whole = []
        if column.null_count() < len(column):
            said.append(pl.concat_str(pl.lit(name), text))
    if whole:
        said.append(pl.concat_str(whole))
    return said or [pl.lit("")]


def _of_few(form: Form, rows: pl.DataFrame) -> dict[int, _Content]:
    """The same for a few records, for which whole columns are too much machinery."""
    breakdowns = sorted(f.code for f in form.breakdowns)
    others = sorted(f.code for f in form.columns if f.role != "breakdown")
    texts = {
        code: rows[code].cast(pl.String).to_list() for code in others if rows[code].null_count() < rows.height
    }
    heads = [["" if text is None else text for text in rows[code].to_list()] for code in breakdowns]
    measures = [rows[f.code].to_list() for f in form.measures if f.code in texts]
    found: dict[int, tuple[int, int, list[str]]] = {}
    for place, (number, reason, fault) in enumerate(
        zip(*(rows[name].to_list() for name in ("report_no", "null_reasons", "faults")), strict=True)
    ):
        said = [f"{code}={column[place]}" for code, column in texts.items() if column[place] is not None]
        said += [f"null:{reason}"] if reason is not None else []
        said += [f"fault:{fault}"] if fault is not None else []
        values = [column[place] for column in measures if column[place] is not None]
        filled, nonzero, records = found.get(number, (0, 0, []))
        if said:
            head = _UNIT.join(column[place] for column in heads)
            records.append(_UNIT.join((head, *said)))
        found[number] = (filled + len(values), nonzero + sum(value != 0 for value in values), records)
    return {
        number: (filled, nonzero, _RECORD.join(sorted(records)))
        for number, (filled, nonzero, records) in found.items()
    }
