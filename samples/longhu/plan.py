"""A printed figure beside the value that the sample's reports make of it, and how the two stand to each other."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Literal


class Verdict(StrEnum):
    """How the printed figure stands to the computed one."""

    AGREES = "agrees"
    """Equal at the printed precision."""
    TRUNCATED = "truncated"
    """Equal only if the plan cut the digits off instead of rounding."""
    ROUNDING = "rounding"
    """Off by one unit in the last printed digit."""
    CONFLICT = "conflict"
    """Possible alone; another figure of the plan, which the reports yield, leaves no room for it."""
    IMPOSSIBLE = "impossible"
    """Outside what its own parts or any whole number of events can yield."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A printed figure and its computed value, ``numerator`` / ``denominator`` x ``scale``."""

    indicator: str
    """Code in the indicator catalogue."""
    slice: str
    """all, hospital, public_hospital, private_hospital or primary_care, as in the indicator mart."""
    name_zh: str
    unit: str
    section: str
    printed: str
    numerator: int
    denominator: int | None = None
    scale: int = 1
    verdict: Verdict = Verdict.AGREES
    note: str = ""
    period_type: Literal["year", "month", "mch_year", "plan"] = "year"
    operator: Literal["=", ">="] = "="
    printed_in: int = 1
    """How many units the printed number counts: 10,000 for 1.7 万."""
    words: str = ""
    """How the document says it where it prints no number."""

    @property
    def period_start(self) -> date:
        """First day: the maternal-child year 2015 begins in October 2014, the plan's five years in 2011."""
        starts = {"mch_year": date(2014, 10, 1), "plan": date(2011, 1, 1), "month": date(2015, 12, 1)}
        return starts.get(self.period_type, date(2015, 1, 1))

    @property
    def digits(self) -> int:
        """Decimal places printed."""
        return len(self.printed.partition(".")[2])

    @property
    def value(self) -> Decimal:
        """The computed value, unrounded."""
        return Decimal(self.numerator) * self.scale / (self.denominator or 1)

    @property
    def rounded(self) -> Decimal:
        """The computed value as it would be printed: in the printed unit, rounded half up to the printed places."""
        return (self.value / self.printed_in).quantize(Decimal(1).scaleb(-self.digits), ROUND_HALF_UP)

    @property
    def judged(self) -> Verdict:
        """The verdict that follows from the two values alone; what is impossible needs a proof besides."""
        unit_of_last_place = Decimal(1).scaleb(-self.digits)
        printed = Decimal(self.printed)
        if self.operator == ">=":
            return Verdict.AGREES if self.value >= printed else Verdict.CONFLICT
        if self.rounded == printed:
            return Verdict.AGREES
        if self.value.quantize(unit_of_last_place, ROUND_DOWN) == printed:
            return Verdict.TRUNCATED
        if abs(self.rounded - printed) <= unit_of_last_place and self.digits:
            return Verdict.ROUNDING
        return Verdict.CONFLICT


def count(indicator: str, name: str, unit: str, section: str, number: int, *, of: str = "all") -> Figure:
    """A number that the reports yield exactly."""
    return Figure(indicator, of, name, unit, section, str(number), number)


def rate(
    indicator: str,
    name: str,
    section: str,
    printed: str,
    *,
    top: int,
    bottom: int,
    of: str = "all",
    verdict: Verdict = Verdict.AGREES,
    note: str = "",
) -> Figure:
    """A percentage with its numerator and denominator."""
    return Figure(indicator, of, name, "%", section, printed, top, bottom, 100, verdict, note)
