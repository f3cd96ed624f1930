"""Seven publications of the national monthly bulletin of notifiable diseases, 2004 to 2023.

Source: github.com/stone-zeng/china-infectious-diseases (CC0), figures of the National Health Commission and
the National Disease Control and Prevention Administration.
"""

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from ingestion.checks import CheckContext, check
from ingestion.reading import Reading

Read = Callable[..., Reading]

BULLETINS = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "stone_zeng_cnid"
LAST = "2023-11-17_8ded6a5"

# (month, total) -> (printed, sum of its parts), as the last publication has them.
CASES = {
    ("2005-04", "C_TOTAL"): (70788, 5925),
    ("2005-05", "C_TOTAL"): (86208, 35045),
    ("2007-01", "C_TOTAL"): (72542, 2101),
    ("2007-02", "C_TOTAL"): (46430, 2341),
    ("2007-02", "AB_TOTAL"): (236288, 236289),
    ("2009-03", "AB_TOTAL"): (359516, 15307908),
    ("2009-03", "0300"): (15099385, 150993),
    ("2009-04", "AB_TOTAL"): (366852, 14773430),
    ("2009-04", "0300"): (14552098, 145520),
    ("2010-07", "AB_TOTAL"): (354247, 354257),
    ("2010-07", "ABC_TOTAL"): (751250, 751240),
    ("2023-01", "AB_TOTAL"): (184750, 184746),
    ("2023-04", "AB_TOTAL"): (291128, 291125),
    ("2023-04", "0300"): (142743, 142746),
}
DEATHS = {
    ("2004-05", "AB_TOTAL"): (477, 476),
    ("2006-01", "AB_TOTAL"): (493, 492),
    ("2012-09", "C_TOTAL"): (32, 50),
    ("2016-09", "AB_TOTAL"): (1500, 500),
    ("2023-01", "AB_TOTAL"): (2158, 2162),
}


@pytest.fixture(scope="module")
def publications() -> list[Path]:
    """Folders of the publications, oldest first."""
    if not BULLETINS.is_dir():
        pytest.skip("the published bulletins do not lie beside the checkout")
    return sorted(folder for folder in BULLETINS.iterdir() if folder.is_dir())


def test_every_publication_is_read_whole(publications: list[Path], read: Read) -> None:
    for folder in publications:
        for part in ("cases", "deaths"):
            path = folder / f"monthly-{part}.csv"
            reading = read(path, region="000000")
            raw = pl.read_csv(path, infer_schema_length=None)
            printed = raw.select(pl.exclude("月份").cast(pl.Int64)).sum().sum_horizontal().item()
            assert (reading.part, reading.layout) == (part, "wide")
            assert reading.reports.height == raw["月份"].n_unique()
            assert reading.records[part].sum() == printed
            assert reading.records[part].null_count() == 0


def test_the_month_that_stands_twice_and_the_one_that_is_missing(
    publications: list[Path], read: Read
) -> None:
    for folder in publications:
        reading = read(folder / "monthly-cases.csv", region="000000")
        twice, gap = reading.findings
        assert (twice.rule_id, twice.severity) == ("REPORT_TWICE_IN_FILE", "hard")
        start = reading.reports.filter(pl.col("report_no") == twice.report_no)["period_start"].item()
        assert start == dt.date(2010, 10, 1)
        assert "第83行" in twice.message_zh
        assert "第84行" in twice.message_zh
        assert (gap.rule_id, gap.value, gap.report_no) == ("PERIOD_MISSING_IN_SERIES", "2010-11", None)


@pytest.mark.parametrize(("part", "known"), [("cases", CASES), ("deaths", DEATHS)])
def test_the_totals_that_do_not_add_up_are_known(
    publications: list[Path], read: Read, part: str, known: dict[tuple[str, str], tuple[int, int]]
) -> None:
    folder = next(folder for folder in publications if folder.name == LAST)
    reading = read(folder / f"monthly-{part}.csv", region="000000")
    months = dict(
        reading.reports.select("report_no", pl.col("period_start").dt.strftime("%Y-%m")).iter_rows()
    )
    found = {}
    for finding in check(reading, CheckContext()):
        printed = int(finding.value or "")
        sum_ = int(finding.message_en.split("sum to ")[1].split(",")[0])
        found[months[finding.report_no], finding.breakdown] = (printed, sum_)
        assert finding.severity == ("soft" if finding.rule_id == "IM01" else "hard")
        assert finding.field_code == part
    assert found == known


def test_a_publication_changes_few_months_of_the_one_before(publications: list[Path], read: Read) -> None:
    contents: dict[str, dict[dt.date, str]] = {}
    for folder in publications:
        reading = read(folder / "monthly-cases.csv", region="000000")
        contents[folder.name] = dict(reading.reports.select("period_start", "content_hash").iter_rows())
    for before, after in pairwise(publications):
        old, new = contents[before.name], contents[after.name]
        assert set(old) <= set(new)
        assert len(set(new) - set(old)) <= 4
        assert sum(old[month] != new[month] for month in old) <= 3
