"""When the files of the sample arrived."""

from datetime import datetime
from zoneinfo import ZoneInfo

from samples.longhu.figures import YEAR
from samples.writers import Delivery

SHANGHAI = ZoneInfo("Asia/Shanghai")


def next_month(path: str, content: bytes, m: int, *, day: int) -> Delivery:
    """Arrived on that day of the month after ``m``."""
    return delivery(path, content, YEAR + m // 12, m % 12 + 1, day)


def delivery(path: str, content: bytes, year: int, month: int, day: int, *, hour: int = 16) -> Delivery:
    """Arrived on that day, in the afternoon."""
    return Delivery(path, content, datetime(year, month, day, hour, 20, tzinfo=SHANGHAI))
