"""Which report each card belongs to, and its number there."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from ingestion.cards import told
from ingestion.cards.empty import empty_reading
from ingestion.cards.ledger import Entry, Ledger
from ingestion.form import Form
from ingestion.placing import Lane, place


@dataclass(frozen=True)
class _Said:
    """What rows that belong together say of their report; the dates are those of the first batch that has it."""

    ref: str
    name: str | None
    reporter: str | None
    start: dt.date | None
    end: dt.date | None


class Numbering:
    """Numbers reports and records over all batches of a table."""

    def __init__(self, form: Form, sheet: str, lane: Lane, ledger: Ledger, received_on: dt.date) -> None:
        self.form = form
        self.sheet = sheet
        self.lane = lane
        self.ledger = ledger
        self.received_on = received_on
        self._known: dict[tuple[object, ...], Entry] = {}

    def numbered(self, body: pl.DataFrame, days: pl.Series) -> pl.DataFrame:
        """The rows with report_no, null where nobody knows the unit, and record_no."""
        dated = self.form.period.type != "event"
        keys = ["subject_ref", "period_start", "period_end"] if dated else ["subject_ref"]
        groups = (
            body.with_columns(days.alias("__first"))
            .group_by(keys, maintain_order=True)
            .agg(
                pl.col("subject_name", "reporter_ref").first(),
                pl.col("__first").max().alias("__last"),
                pl.col("__first").min(),
            )
        )
        entries = []
        for row in groups.iter_rows(named=True):
            start, end = (
                (row["period_start"], row["period_end"]) if dated else (row["__first"], row["__last"])
            )
            said = _Said(row["subject_ref"], row["subject_name"], row["reporter_ref"], start, end)
            key = tuple(row[name] for name in keys)
            if key not in self._known:
                self._known[key] = self._entry(said, (start, end) if dated else None)
            entries.append(self._known[key])
        if len(entries) == 1:
            entry = entries[0]
            number = entry.report_no if entry.placed is not None else None
            body = body.with_columns(
                pl.lit(number, dtype=pl.Int64).alias("report_no"),
                pl.int_range(entry.cards + 1, entry.cards + 1 + pl.len(), dtype=pl.Int64).alias("record_no"),
            )
            entry.cards += len(body)
            return body
        table = groups.select(keys).with_columns(
            pl.Series("entry", [entry.report_no for entry in entries], dtype=pl.Int64),
            pl.Series("before", [entry.cards for entry in entries], dtype=pl.Int64),
            pl.Series("placed", [entry.placed is not None for entry in entries], dtype=pl.Boolean),
        )
        body = body.join(table, on=keys, how="left", maintain_order="left", nulls_equal=True).with_columns(
            pl.when("placed").then(pl.col("entry")).alias("report_no"),
            (pl.col("entry").cum_count().over("entry").cast(pl.Int64) + pl.col("before")).alias("record_no"),
        )
        for number, count in body["entry"].value_counts().iter_rows():
            self.ledger.entries[number - 1].cards += count
        return body.drop("entry", "before", "placed")

    def _entry(self, said: _Said, period: tuple[dt.date, dt.date] | None) -> Entry:
        """The report that rows belong to; a unit may be named in several ways."""
        start, end = said.start or self.received_on, said.end or self.received_on
        row = {"subject_ref": said.ref, "subject_name": said.name, "reporter_ref": said.reporter}
        reading = empty_reading(self.form, self.sheet, row, start, end)
        placed = place(reading, self.lane).row(0, named=True)
        subject = placed["subject_code"]
        if subject is None:
            told.units(self.ledger, self.form, self.sheet, placed)
        else:
            for entry in self.ledger.entries:
                if entry.placed and entry.placed["subject_code"] == subject and entry.period == period:
                    return entry
        entry = Entry(
            report_no=len(self.ledger.entries) + 1,
            subject_ref=said.ref,
            reporter_ref=said.reporter,
            placed=placed if subject is not None else None,
            period=period,
            sheet=self.sheet,
        )
        self.ledger.entries.append(entry)
        return entry
