"""Failures of the cards of a batch: told within bounds, and which of them set their card aside."""

from typing import TYPE_CHECKING

import polars as pl

from ingestion.cards.told import Fault
from ingestion.findings import Finding
from ingestion.judging import weighed

if TYPE_CHECKING:
    from ingestion.cards.batch import BatchReader


class Judge:
    """Failures of the cards of a batch: told within bounds, and which of them set their card aside."""

    def __init__(self, reader: "BatchReader", body: pl.DataFrame) -> None:
        self.reader = reader
        self.body = body
        self._aside: list[tuple[str, pl.Series]] = []

    def fails(self, fault: Fault, where: pl.Series, *, drop: bool = False) -> None:
        """Note cards that fail; ``drop`` sets them aside although the finding only warns."""
        if not where.any():
            return
        form, lane = self.reader.form, self.reader.lane
        finding = Finding(fault.rule_id, "value", fault.severity, "", "")
        severity = weighed(finding, lane.severities, form.code)[0].severity
        if severity == "hard" or drop:
            counted = where & ~self._waived(fault.rule_id) if not drop else where
            if counted.any():
                self._aside.append((fault.rule_id, counted))
        ledger = self.reader.ledger
        chosen = self._chosen(fault.rule_id, where)
        if chosen is not None:
            ledger.tell(fault.findings(self.reader, self.body, chosen))

    def _chosen(self, rule_id: str, where: pl.Series) -> pl.Series | None:
        """The failing cards that are told one by one; all are counted."""
        ledger = self.reader.ledger
        failing = self.body.filter(where)
        numbers = failing["report_no"]
        room = {
            number: ledger.room(number, rule_id, count)
            for number, count in numbers.value_counts().iter_rows()
        }
        if not any(room.values()):
            return None
        place = (
            numbers.cum_count()
            if len(room) == 1
            else failing.select(pl.col("report_no").cum_count().over("report_no")).to_series()
        )
        allowed = numbers.replace_strict(room, return_dtype=pl.Int64)
        # A copy, for a series is changed where it stands and the caller goes on with all that fail.
        return where.clone().scatter(where.arg_true().filter(place > allowed), False)

    def _waived(self, rule_id: str) -> pl.Series:
        form, lane = self.reader.form, self.reader.lane
        waived = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(self.body))
        subjects = {e.report_no: e.placed["subject_code"] for e in self.reader.ledger.entries if e.placed}
        for waiver in lane.waivers:
            if waiver.rule_id != rule_id or waiver.form_code not in (None, form.code):
                continue
            covered = pl.lit(value=True)
            if waiver.period_from is not None:
                covered = covered & (pl.col("period_start") >= waiver.period_from)
            if waiver.period_to is not None:
                covered = covered & (pl.col("period_end") <= waiver.period_to)
            if waiver.subject_code is not None:
                mine = [number for number, subject in subjects.items() if subject == waiver.subject_code]
                covered = covered & pl.col("report_no").is_in(mine)
            waived = waived | self.body.select(covered.fill_null(value=False).alias("w")).to_series()
        return waived

    def set_aside(self) -> pl.Series:
        """For each card the rules that set it aside, null where none does."""
        height = len(self.body)
        if not self._aside:
            return pl.Series([None], dtype=pl.String).new_from_index(0, height)
        masks: dict[str, pl.Series] = {}
        for rule_id, mask in self._aside:
            masks[rule_id] = masks[rule_id] | mask if rule_id in masks else mask
        frame = pl.DataFrame([mask.alias(rule_id) for rule_id, mask in masks.items()])
        rules = pl.concat_str(
            [pl.when(pl.col(rule_id)).then(pl.lit(rule_id)) for rule_id in masks],
            separator=",",
            ignore_nulls=True,
        )
        return frame.select(pl.when(rules != "").then(rules)).to_series()
