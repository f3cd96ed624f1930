"""A waiver names what it covers, says who answers for it, and ends by itself."""

from datetime import date
from pathlib import Path

import pytest

from expectations import waivers
from expectations.errors import CatalogueError
from warehouse.settings import Settings

GOOD = """
- check: series.outlier_hosp_monthly
  subject: LH-H02
  owner: 统计科
  reason: 住院楼改造
  ticket: T-1
  expires_on: 2026-12-31
"""


def site(settings: Settings, text: str) -> Path:
    settings.site.mkdir(parents=True, exist_ok=True)
    file = settings.site / waivers.FILE
    file.write_text(text.lstrip(), encoding="utf-8")
    return file


def test_a_waiver_counts_up_to_its_last_day(settings: Settings):
    site(settings, GOOD)
    shipped = len(waivers.open_on(settings, date(2027, 1, 1)))
    assert len(waivers.open_on(settings, date(2026, 12, 31))) == shipped + 1


@pytest.mark.parametrize(
    ("day", "declared", "why"),
    [
        (date(2026, 12, 31), "series.outlier_hosp_monthly", []),
        (date(2027, 1, 1), "series.outlier_hosp_monthly", ["expired on 2026-12-31"]),
        (
            date(2026, 12, 31),
            "series.outlier_epi_monthly",
            ["no warning is called series.outlier_hosp_monthly"],
        ),
    ],
)
def test_a_waiver_that_covers_nothing_is_told_with_why(settings: Settings, day, declared, why):
    site(settings, GOOD)
    assert [said for _, said in waivers.idle_on(settings, day, [declared])] == why


def test_it_covers_no_more_than_it_names(settings: Settings):
    site(settings, GOOD)
    (waiver,) = [one for one in waivers.open_on(settings, date(2026, 12, 1)) if one.ticket == "T-1"]
    condition, values = waiver.conditions()
    assert condition == "check_id like :check and subject_code = :subject_code"
    assert values == {"check": r"series.outlier\_hosp\_monthly", "subject_code": "LH-H02"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("  owner: 统计科\n", ""), 1),
        (("check: series.outlier_hosp_monthly", "check: '*'"), 1),
        (("expires_on: 2026-12-31", "expires_on: some day"), 6),
        (("ticket: T-1", "ticket: T-1\n  forever: true"), 6),
    ],
)
def test_a_wrong_waiver_names_its_file_and_line(settings: Settings, change: tuple[str, str], line: int):
    assert change[0] in GOOD
    file = site(settings, GOOD.replace(*change))
    with pytest.raises(CatalogueError) as caught:
        waivers.open_on(settings, date(2026, 12, 1))
    assert caught.value.message.startswith(f"{file}:{line}: ")


def test_what_ships_covers_only_what_plans_print(settings: Settings):
    assert {waiver.check for waiver in waivers.open_on(settings, date(2026, 12, 1))} == {"printed.*"}
