"""Rows of a table of cards, one batch after another: typed, checked, freed of who persons are, fingerprinted."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from ingestion import units
from ingestion.cards import rows, told
from ingestion.cards.columns import ColumnReader
from ingestion.cards.earlier import Earlier
from ingestion.cards.empty import empty_reading
from ingestion.cards.hashing import Hasher
from ingestion.cards.judge import Judge
from ingestion.cards.ledger import Ledger
from ingestion.cards.numbering import Numbering
from ingestion.cards.persons import describe_person
from ingestion.cards.privacy import misplaced
from ingestion.checks import CheckContext, evaluate
from ingestion.form import FormField
from ingestion.identifiers import citizen_numbers_valid, icd10_valid, usccs_valid
from ingestion.placing import Lane
from ingestion.readers.cells import days_since_1904
from ingestion.recognised import Recognised
from ingestion.shifted import beyond
from ingestion.values import Typed

_UNIT = "\x1f"
_LONGER = "is_too_long"
_LIKE_A_CODE = r"^[A-Za-z]{0,3}[0-9][A-Za-z0-9.+*†/_-]{0,28}$"


@dataclass(frozen=True)
class Batch:
    """Cards ready for the raw table: report_no, record_no and its columns but the revision.

    Of the cards that count, ``asked`` holds what rules on whole reports ask for, and ``correcting`` those that correct
    an earlier one.
    """

    records: pl.DataFrame
    asked: pl.DataFrame
    correcting: pl.DataFrame


@dataclass(frozen=True)
class TypedRows:
    """Rows of a table whose columns are typed: whose they are and when, fingerprints of what they say, their fields."""

    body: pl.DataFrame
    typed: dict[str, Typed]


class BatchReader:
    """Reads one table of cards batch by batch, in order."""

    def __init__(
        self,
        found: Recognised,
        sheet: str,
        lane: Lane,
        ledger: Ledger,
        hasher: Hasher,
        *,
        file_name: str,
        received_on: dt.date,
        asked: Iterable[str] | None = None,
    ) -> None:
        assert found.form.cards is not None  # noqa: S101 - only forms of cards come here
        self.form, self.cards = found.form, found.form.cards
        self.found = found
        self.sheet = sheet
        self.lane = lane
        self.ledger = ledger
        self.hasher = hasher
        self.received_on = received_on
        self.asked = None if asked is None else tuple(sorted(set(asked)))
        self.where = rows.Where(found, sheet, lane.source, file_name)
        self.columns = {column.code: column.index for column in found.fields}
        # 2015年 says a period, whatever else its field is.
        self._given = [
            field.model_copy(update={"type": "text"}) if field.code in self.form.period.fields else field
            for field in self.form.fields
            if field.code in self.columns or field.code in found.title_values
        ]
        self._columns = ColumnReader(self._given, self.form.code_lists)
        self.earlier = Earlier(found.form, sheet, self.where.positions)
        self.numbering = Numbering(found.form, sheet, lane, ledger, received_on)
        self._words = sorted(
            {label for codes in self.form.code_lists.values() for c in codes.codes for label in c.labels}
        )

    # One batch

    def read(self, frame: pl.DataFrame, first_row: int) -> Batch:
        """Read the rows of a batch; ``first_row`` is the spreadsheet row of the first of them."""
        return self.judged(self.typed(frame, first_row))

    def typed(self, frame: pl.DataFrame, first_row: int) -> TypedRows:
        """Type the rows of a batch. Batches are typed in order, but may be judged while the next is typed."""
        # In one piece: each query over several would put them together anew.
        rows = self.where.cards(frame.rechunk(), first_row)
        typed = self._columns.read(pl.DataFrame([self._cells(rows, field) for field in self._given]))
        # The cells as they were written have been read: nothing holds on to them.
        body = self.where.subjects(rows["source_row"].to_frame(), typed)
        body = self.where.periods(body, typed, self._day_of(typed, len(body)))
        longer = None if self.found.width is None else beyond(rows, self.found.width)
        if longer is not None:
            body = body.with_columns(longer.alias(_LONGER))
        said = {code: one.values for code, one in typed.items()}
        said |= {f"{code}!": one.faults for code, one in typed.items() if one.faulty}
        return TypedRows(body.hstack(self.hasher.fingerprints(said, len(body))), typed)

    def judged(self, rows: TypedRows) -> Batch:
        """Number and check the cards of a batch, and leave nothing of their persons but what may be stored."""
        body, typed = rows.body, rows.typed
        keep, findings = self.where.faults(body)
        self._tell_rows(findings)
        if not keep.all():
            body = body.filter(keep)
            typed = {code: _filtered(one, keep) for code, one in typed.items()}
        if body.is_empty():
            return Batch(self._no_records(), pl.DataFrame(), pl.DataFrame())
        body = self.numbering.numbered(body, self._day_of(typed, len(body)))
        placed = body["report_no"].is_not_null()
        if not placed.all():
            self.ledger.unplaced_cards += int((~placed).sum())
            body = body.filter(placed)
            typed = {code: _filtered(one, placed) for code, one in typed.items()}
            if body.is_empty():
                return Batch(self._no_records(), pl.DataFrame(), pl.DataFrame())
        return self._checked(body, typed)

    def _checked(self, body: pl.DataFrame, typed: dict[str, Typed]) -> Batch:
        judge = Judge(self, body)
        days = self._day_of(typed, len(body))
        values = {code: one.values for code, one in typed.items()}
        self._complete(judge, values, days)
        self._cells_at_fault(judge, typed, values)
        if _LONGER in body.columns:
            judge.fails(told.TooLong(self.cards.noun_zh), body[_LONGER])
        # A register without a date of its own tells ages at the end of its period.
        undated = self.cards.date is None
        persons = self._persons(judge, values, body["period_end"].alias("day") if undated else days)
        self._misplaced(judge, values)
        frame = pl.DataFrame([body["report_no"], body["record_no"], *(v.alias(c) for c, v in values.items())])
        frame = frame.with_columns(
            pl.lit(self.sheet).alias("source_sheet"),
            body["source_row"],
            pl.lit(None, dtype=pl.Int64).alias("source_column"),
        )
        self._rules(judge, frame, body)
        contents = body.select("first", "second")
        self._twice(judge, values, contents)
        aside = judge.set_aside()
        counts = aside.is_null()
        self.ledger.note(body["report_no"], days, counts, contents)
        records = frame.select(
            "report_no",
            "record_no",
            *(field.code for field in self.form.columns if field.code in values),
        ).with_columns(*persons, aside.alias("set_aside"), frame["source_sheet"], frame["source_row"])
        asked = pl.DataFrame()
        if self.asked is not None:
            given = [name for name in self.asked if name in frame.columns]
            asked = frame.filter(counts).select(
                "report_no", "record_no", *given, "source_sheet", "source_row", "source_column"
            )
        return Batch(records, asked, self.earlier.correcting(frame, counts))

    # Who and when

    def _cells(self, body: pl.DataFrame, field: FormField) -> pl.Series:
        index = self.columns.get(field.code)
        if index is None:
            text = self.found.title_values[field.code][0]
            return pl.Series(field.code, [text], dtype=pl.String).new_from_index(0, len(body))
        name = f"c{index}"
        if name in body.columns:
            cells = body[name].alias(field.code)
            return days_since_1904(cells) if self.found.since_1904 and field.code in self.form.days else cells
        return pl.Series(field.code, [None], dtype=pl.String).new_from_index(0, len(body))

    def _day_of(self, typed: dict[str, Typed], height: int) -> pl.Series:
        if self.cards.date in typed:
            return typed[self.cards.date].values.cast(pl.Date).alias("day")
        return pl.Series("day", [None], dtype=pl.Date).new_from_index(0, height)

    # What is wrong with cards

    def _complete(self, judge: Judge, values: dict[str, pl.Series], days: pl.Series) -> None:
        needed = dict.fromkeys((*self.cards.key, *((self.cards.date,) if self.cards.date else ())))
        needed |= dict.fromkeys(f.code for f in self.form.fields if f.required and f.code in values)
        for code in needed:
            if code in values and values[code].null_count():
                fault = told.incomplete(self.form.by_code[code], self.cards.noun_zh)
                judge.fails(fault, values[code].is_null())
        last, latest = self.received_on + dt.timedelta(days=1), days.max()
        if isinstance(latest, dt.date) and latest > last:
            late = (days > last).fill_null(value=False)
            judge.fails(told.in_future(self.form.by_code[str(self.cards.date)], self.cards.noun_zh), late)

    def _cells_at_fault(self, judge: Judge, typed: dict[str, Typed], values: dict[str, pl.Series]) -> None:
        for code, one in typed.items():
            field = self.form.by_code[code]
            if one.faulty:
                judge.fails(told.untyped(field), one.faults.is_not_null())
            cells = values[code]
            if field.format and cells.null_count() < len(cells):
                if field.format == "citizen_number":
                    wrong = ~citizen_numbers_valid(cells)
                else:
                    wrong = ~(usccs_valid(cells) if field.format == "uscc" else icd10_valid(cells))
                judge.fails(told.wrong_digits(field), wrong.fill_null(value=False))
                if field.format == "icd10":
                    # Words where a code belongs may say anything; a code with a slip in it stays.
                    words = wrong & ~cells.str.contains(_LIKE_A_CODE)
                    values[code] = cells.set(words.fill_null(value=False), None)
            if cells.dtype.is_numeric() and not field.negative:
                judge.fails(told.negative(field), (cells < 0).fill_null(value=False))

    def _persons(self, judge: Judge, values: dict[str, pl.Series], days: pl.Series) -> list[pl.Series]:
        columns: list[pl.Series] = []
        for person in self.cards.persons:
            found = describe_person(person, values, days, self.hasher)
            columns += found.columns
            if found.wrong_number is not None:
                judge.fails(
                    told.wrong_digits(self.form.by_code[str(person.citizen_number)]), found.wrong_number
                )
            for code, wrong in found.disagrees.items():
                judge.fails(
                    told.disagrees(self.form.by_code[code], self.form.by_code[str(person.citizen_number)]),
                    wrong,
                )
        return columns

    def _misplaced(self, judge: Judge, values: dict[str, pl.Series]) -> None:
        """Blank what says who somebody is in columns that are stored; a card's number becomes its keyed hash."""
        personal = {
            code: column
            for code, column in values.items()
            if self.form.by_code[code].personal and column.dtype == pl.String
        }
        for field in self.form.columns:
            if field.code not in values:
                continue
            # A register that is about no person may have words for its key: the name of a title.
            is_key = bool(self.cards.persons) and field.code in self.cards.key
            wrong = misplaced(field, values[field.code], personal, known=self._words, is_key=is_key)
            if wrong is not None:
                judge.fails(told.misplaced(field, is_key=is_key), wrong)
                cells = values[field.code]
                # Cards go on being told apart by their number, and meet their later versions.
                kept = self.hasher.hashed_where(cells, wrong) if is_key else cells.set(wrong, None)
                values[field.code] = kept

    def _rules(self, judge: Judge, frame: pl.DataFrame, body: pl.DataFrame) -> None:
        if not self.form.rules:
            return
        groups = body.group_by("report_no", maintain_order=True).agg(
            pl.col("subject_ref", "subject_name", "reporter_ref").first(),
            pl.col("period_start").min(),
            pl.col("period_end").max(),
        )
        reading = replace(
            empty_reading(self.form, self.sheet),
            reports=groups,
            records=frame,
            positions=self.where.positions,
        )
        verdicts = evaluate(reading, CheckContext(units=self._units(groups)))
        for number in verdicts.failing:
            judge.fails(told.RuleFails(verdicts, number), verdicts.failed[str(number)])

    def _units(self, groups: pl.DataFrame) -> pl.DataFrame:
        if self.form.subject.type != "organization":
            return pl.DataFrame()
        keys = {
            entry.report_no: entry.placed["organization_key"] for entry in self.ledger.entries if entry.placed
        }
        known = groups.with_columns(
            pl.Series("organization_key", [keys[number] for number in groups["report_no"]], dtype=pl.Int32)
        )
        return units.attributes(known, self.lane.versions).drop("period_end")

    def _twice(self, judge: Judge, values: dict[str, pl.Series], contents: pl.DataFrame) -> None:
        keys = [values[code] for code in self.cards.key if code in values]
        if not keys or len(keys) < len(self.cards.key):
            return
        whole = keys[0].cast(pl.String)
        if len(keys) > 1:
            frame = pl.DataFrame([key.cast(pl.String) for key in keys])
            whole = frame.select(pl.concat_str(pl.all(), separator=_UNIT)).to_series()
        numbers = whole.hash(seed=1)
        if whole.null_count():
            numbers = numbers.set(whole.is_null(), None)
        again, same = self.ledger.keys.met_before(numbers, contents["first"])
        if again.any():
            field = self.form.by_code[self.cards.key[0]]
            judge.fails(told.twice(field, self.cards.noun_zh, same=False), again & ~same)
            judge.fails(told.twice(field, self.cards.noun_zh, same=True), again & same, drop=True)

    def _tell_rows(self, findings: Iterable[told.RowFault]) -> None:
        for fault in findings:
            count = self.ledger.room(None, fault.rule_id, len(fault.rows))
            self.ledger.tell(fault.finding(row, self.sheet) for row in fault.rows[:count])

    def _no_records(self) -> pl.DataFrame:
        return pl.DataFrame(schema={"report_no": pl.Int64, "record_no": pl.Int64})


def _filtered(typed: Typed, keep: pl.Series) -> Typed:
    return Typed(typed.values.filter(keep), typed.faults.filter(keep))
