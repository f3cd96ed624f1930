"""Which files may be taken in side by side with the same result as one after the other.

A file waits for every earlier one that holds anything it could be compared with: the same report, the period before
or after it, another form of the same unit for a time that overlaps.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from ingestion.form import Form
from ingestion.reading import Reading


def waves(files: Sequence[Sequence[tuple[Reading, pl.DataFrame]]]) -> list[list[int]]:
    """Numbers of the files by wave: those of one wave know nothing of each other, nor of a later wave.

    A file is its readings, each with its placed reports (see :func:`ingestion.placing.place`).
    """
    taken: dict[str, list[tuple[str, date, date, int]]] = defaultdict(list)
    found: list[list[int]] = []
    for number, file in enumerate(files):
        mine = [
            (name, reading.form, start, end)
            for reading, reports in file
            for ref, code, start, end in reports.select(
                "subject_ref", "subject_code", "period_start", "period_end"
            ).iter_rows()
            for name in {ref, code} - {None}
        ]
        wave = 0
        for name, form, start, end in mine:
            for other, other_start, other_end, other_wave in taken[name]:
                near = _near(form) if other == form.code else timedelta(0)
                if other_wave >= wave and start - near <= other_end and other_start - near <= end:
                    wave = other_wave + 1
        for name, form, start, end in mine:
            taken[name].append((form.code, start, end, wave))
        if wave == len(found):
            found.append([])
        found[wave].append(number)
    return found


def _near(form: Form) -> timedelta:
    """How long before a report the one that it is compared with may have ended."""
    return timedelta(days=366 if form.period.type == "cumulative_quarter" else 1)
