"""What goes wrong in the deliveries on purpose, and the amendment that changes a published number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from samples.longhu import figures
from samples.longhu.figures import YEAR, Values
from samples.longhu.units import PRIVATE_2, PUBLIC_1, PUBLIC_2

MONTHLY = "hosp_monthly"
Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Incident:
    """Something in a delivery that the intake has to deal with."""

    file: str
    """Path of the file below the inbox."""
    form: str
    subject: str
    period_start: date
    what: str
    rule: str | None = None
    """The hard rule it breaks, if any."""
    changes: Mapping[str, tuple[Number, Number]] | None = None
    """Field to former and new value (in the unit of the form, money in thousand yuan)."""


def _number(value: figures.Value) -> Number:
    if not isinstance(value, int | Decimal):
        raise TypeError(f"{value!r} is no number")
    return value


AMENDED_VISITS = 120
_ADDED: Mapping[str, Number] = {
    "visits_total": AMENDED_VISITS,
    "visits_outpatient_emergency": AMENDED_VISITS,
    "revenue_outpatient": Decimal("19.0"),
    "revenue_medical": Decimal("19.0"),
}


def amended_month() -> Values:
    """November of the first public hospital with the visits of its new evening clinic added."""
    before = figures.month(PUBLIC_1, 11)
    return before | {field: _number(before[field]) + more for field, more in _ADDED.items()}


def broken_month() -> Values:
    """June of the second public hospital with more outpatient visits than visits in all."""
    before = figures.month(PUBLIC_2, 6)
    return before | {"visits_outpatient_emergency": _number(before["visits_total"]) + 318}


def _changes(before: Values, after: Values) -> dict[str, tuple[Number, Number]]:
    return {
        field: (_number(before[field]), _number(value))
        for field, value in after.items()
        if value != before[field]
    }


AMENDMENT = Incident(
    f"hospital/公立医院一/医疗服务月报表_{YEAR}年11月_订正.xlsx",
    MONTHLY,
    PUBLIC_1.code,
    date(YEAR, 11, 1),
    f"订正：补计夜间门诊{AMENDED_VISITS}人次",
    changes=_changes(figures.month(PUBLIC_1, 11), amended_month()),
)
BROKEN = Incident(
    f"hospital/公立医院二/{YEAR}06_月报_重报.csv",
    MONTHLY,
    PUBLIC_2.code,
    date(YEAR, 6, 1),
    "重报的6月月报门急诊人次大于总诊疗人次，应隔离，7月收到的原报表继续有效",
    rule="HM01",
    changes=_changes(figures.month(PUBLIC_2, 6), broken_month()),
)
RESENT = Incident(
    f"hospital/公立医院一/医疗服务月报表_{YEAR}年03月_再次报送.csv",
    MONTHLY,
    PUBLIC_1.code,
    date(YEAR, 3, 1),
    "内容与4月收到的工作簿相同，只是换成CSV，不产生新版本",
)
LATE = Incident(
    f"hospital/民营医院二/{YEAR}-09.csv",
    MONTHLY,
    PRIVATE_2.code,
    date(YEAR, 9, 1),
    "应于10月20日前报送，10月27日收到",
)
