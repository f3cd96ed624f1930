"""Regions and units over time: other years' maps, second names, functional areas, earlier releases."""

import re
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

sys.path.insert(0, str(Path(__file__).parent))

from reports import Registry

from ingestion import directory
from warehouse.database import Role, engine

PAGE = Path(__file__).resolve().parents[3] / "docs" / "regions-and-units.md"
JANUARY = (date(2015, 1, 1), date(2015, 1, 31))

# Constructed counts: a number of its own for each county, so that no wrong sum is right by chance.
CASES = {
    "320602": 1, "320611": 2, "320612": 4, "320621": 8, "320623": 16, "320681": 32, "320682": 64, "320684": 128,
    "320671": 256, "330102": 1000, "330104": 2000, "330105": 4000, "330103": 8000,
}  # fmt: skip


def query(title: str) -> str:
    """The query of the page below this heading."""
    found = re.search(rf"### {re.escape(title)}\n.*?```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found, title
    return found[1]


@pytest.fixture(scope="module")
def star(module_database):
    """Two releases: January 2015 of the counties and a unit with a second name; then an amendment and a repair."""
    registry = Registry(module_database)
    registry.unit(
        "H1",
        {"event_date": date(2000, 1, 1), "event_type": "open", "name_zh": "甲医院", "class_code": "A100",
         "economic_type_code": "110", "sponsor_code": "2", "management_class_code": "2", "region_code": "440507"},
        {"event_date": date(2010, 1, 1), "event_type": "reclass", "second_class_code": "B100"},
        {"event_date": date(2015, 7, 1), "event_type": "reclass", "is_counted_by_second_class": True},
    )  # fmt: skip
    # What contradicts itself: the star and the intake must take the same of it.
    registry.unit(
        "X1",
        {"event_date": date(2001, 1, 1), "event_type": "open", "name_zh": "甲", "class_code": "B100"},
        {"event_date": date(2001, 1, 1), "event_type": "rename", "name_zh": "Z"},
        {"event_date": date(2001, 1, 1), "event_type": "reclass", "class_code": "A210"},
        {"event_date": date(2005, 1, 1), "event_type": "close"},
        {"event_date": date(2005, 1, 1), "event_type": "reopen", "is_branch": True},
        {"event_date": date(2010, 1, 1), "event_type": "merge"},
    )  # fmt: skip
    for code, cases in CASES.items():
        registry.file("idr_monthly", code, *JANUARY, {"disease_code": "0300", "cases": cases})
    for month in (1, 7):
        start = date(2015, month, 1)
        registry.file("hosp_monthly", "H1", start, date(2015, month, 31), {"visits_total": 100 * month})
    registry.release()
    registry.file("idr_monthly", "320602", *JANUARY, {"disease_code": "0300", "cases": 3})
    # A repair that comes late: the hospital had been private before 2005.
    registry.unit("H1", {"event_date": date(1998, 1, 1), "event_type": "open", "economic_type_code": "171"})
    registry.release()
    return registry


@pytest.fixture(scope="module")
def read(star):
    """Runs a query as the reader, perhaps as of an earlier release; rows as dictionaries."""

    def run(statement: str, release: int | None = None, **parameters):
        with engine(Role.READER).begin() as connection:
            if release is not None:
                connection.execute(text(f"set local warehouse.as_of_release = {release}"))
            return [dict(row._mapping) for row in connection.execute(text(statement), parameters)]

    return run


class TestRestating:
    TITLE = "Facts on the map of another year"

    def restated(self, read, map_year: int, prefix: str) -> dict[str, tuple[str, Decimal | None, str | None]]:
        found = read(query(self.TITLE), map_year=map_year, day=JANUARY[0])
        return {
            row["region_code"]: (row["name_zh"], row["cases"], row["reason"])
            for row in found
            if row["region_code"].startswith(prefix)
        }

    def test_nantong_2015_stands_on_the_districts_of_today(self, read):
        """崇川 and 港闸 are one, 海门 and 海安 have other codes; all of it exact."""
        assert self.restated(read, 2025, "3206") == {
            "320613": ("崇川区", 5, None),
            "320612": ("通州区", 4, None),
            "320685": ("海安市", 8, None),
            "320623": ("如东县", 16, None),
            "320681": ("启东市", 32, None),
            "320682": ("如皋市", 64, None),
            "320614": ("海门区", 128, None),
            "320671": ("南通经济技术开发区", 256, None),
        }

    def test_on_its_own_map_nothing_moves(self, read):
        assert {code: cases for code, (_, cases, _) in self.restated(read, 2015, "").items()} == {
            **CASES,
            "320602": 3,
        }

    def test_hangzhou_says_where_it_cannot_be_restated_and_why(self, read):
        """江干 was split: 上城 of today holds a part of it that nobody reported apart. 拱墅 and 下城 became one."""
        assert self.restated(read, 2025, "3301") == {
            "330102": ("上城区", None, "others_in_part split"),
            "330114": ("钱塘区", None, "split"),
            "330105": ("拱墅区", 12000, None),
        }

    def test_every_year_of_the_map_keeps_the_sum_or_says_that_it_does_not(self, read):
        whole = sum(CASES.values()) + 2
        for year in range(2000, 2041):
            found = read(query(self.TITLE), map_year=year, day=JANUARY[0])
            exact = sum(row["cases"] for row in found if row["is_exact"])
            # From 2022 on the old 上城 and 江干 cannot be told apart.
            assert exact == (whole if year <= 2021 else whole - 3000), year


def test_six_kinds_of_change_are_told_apart(read):
    rows = read(
        "select before.region_code as before, after.region_code as after, kind, is_exact, is_same_code, is_same_name"
        " from published.bridge_region_lineage"
        " join published.dim_region as before on before.region_key = from_key"
        " join published.dim_region as after on after.region_key = to_key"
    )
    told = {
        (row["before"], row["after"]): (
            row["kind"],
            row["is_exact"],
            row["is_same_code"],
            row["is_same_name"],
        )
        for row in rows
    }
    # 1 another code for the same territory
    for pair in (("320621", "320685"), ("320684", "320614"), ("320683", "320612")):
        assert told[pair] == ("recode", True, False, False), pair
    # 2 and 3 a merger, one of whose parts has the name of the whole
    assert told["320611", "320613"] == ("merge", True, False, False)
    assert told["320602", "320613"] == ("merge", True, False, True)
    # 4 the same code for another territory
    for code in ("330102", "440507"):
        assert told[code, code] == ("boundary", False, True, True), code
    # 5 a split
    assert told["330104", "330102"] == told["330104", "330114"] == ("split", False, False, False)
    # 6 a code used again: two regions, no way from one to the other
    assert ("440511", "440511") not in told
    assert read(
        "select name_zh, valid_from, is_code_reused from published.dim_region where region_code = '440511' order by 2"
    ) == [
        {"name_zh": "郊区", "valid_from": date(1983, 1, 1), "is_code_reused": True},
        {"name_zh": "金平区", "valid_from": date(2004, 1, 1), "is_code_reused": True},
    ]


def test_a_functional_area_counts_once(read):
    """The development zone reports like a county, but lies in one."""
    (row,) = read(query("A prefecture as the sum of its counties"), prefecture="320600", day=JANUARY[0])
    assert row["cases"] == 1 + 2 + 2 + 4 + 8 + 16 + 32 + 64 + 128


def test_a_second_name_moves_visits_from_one_class_to_the_other_by_period(read):
    assert read(query("A hospital that is also a community centre")) == [
        {"period_start": date(2015, 1, 1), "class_group": "hospital", "visits": 100, "units": 1},
        {"period_start": date(2015, 7, 1), "class_group": "primary_care", "visits": 700, "units": 1},
    ]
    assert read(
        "select distinct registered_class_group, ownership, sponsor_group, profit_status"
        " from published.dim_organization where organization_code = 'H1' and valid_from >= '2000-01-01'"
    ) == [
        {
            "registered_class_group": "hospital",
            "ownership": "public",
            "sponsor_group": "society",
            "profit_status": "profit",
        }
    ]


def test_the_star_and_the_intake_see_the_same_history(star, read):
    """The one in SQL, the other in polars: contradictions have one outcome."""
    columns = ("class_code", "second_class_code", "name_zh", "region_code", "economic_type_code")
    with engine(Role.LOADER).connect() as connection:
        seen = directory.versions(connection)
    wanted = seen.select("organization_code", "valid_from", "valid_to", "is_open", *columns).rows()
    found = read(
        "select organization_code, valid_from, valid_to, operating_status = 'open' as is_open,"
        f" {', '.join(columns)} from published.dim_organization where organization_key > 0"
        " order by organization_key, valid_from"
    )
    assert [tuple(row.values()) for row in found] == wanted
    assert {row["valid_from"].year: (row["name_zh"], row["class_code"], row["is_open"]) for row in found
            if row["organization_code"] == "X1"} == {
        2001: ("甲", "B100", True), 2005: ("甲", "B100", True), 2010: ("甲", "B100", False),
    }  # fmt: skip


class TestLists:
    def test_a_period_knows_its_three_calendars_and_the_year_before(self, read):
        rows = read(
            "select period_type, period_end, name_zh, mch_year, mch_quarter, plan_period, year_ago_end"
            " from published.dim_period where (period_type, period_start) in (('month', '2016-02-01'),"
            " ('quarter', '2015-10-01'), ('mch_year', '2014-10-01'), ('plan', '2011-01-01')) order by 1"
        )
        assert [tuple(row.values()) for row in rows] == [
            ("mch_year", date(2015, 9, 30), "2015妇幼统计年度", 2015, None, "十二五", date(2014, 9, 30)),
            ("month", date(2016, 2, 29), "2016年2月", 2016, 2, "十三五", date(2015, 2, 28)),
            ("plan", date(2015, 12, 31), "十二五（2011—2015年）", None, None, "十二五", None),
            ("quarter", date(2015, 12, 31), "2015年第4季度", 2016, 1, "十二五", date(2014, 12, 31)),
        ]

    def test_every_period_of_a_report_is_in_the_list(self, read):
        (row,) = read(
            "select count(*) as reports, count(period.name_zh) as named from published.dim_report as report"
            " left join published.dim_period as period using (period_type, period_start, period_end)"
        )
        assert row["reports"] == row["named"] > 0

    def test_covid_was_renamed_and_managed_otherwise_from_one_day(self, read):
        spells = read(
            "select name_zh, disease_class, is_managed_as_a, report_within_hours, valid_to"
            " from published.dim_disease where disease_code = 'COVID19' order by valid_from"
        )
        assert [tuple(row.values()) for row in spells] == [
            ("新型冠状病毒肺炎", "B", True, 2, date(2023, 1, 8)),
            ("新型冠状病毒感染", "B", False, 24, date(9999, 12, 31)),
        ]

    def test_a_child_has_the_doses_of_its_cohort(self, read):
        def doses(born: str) -> list[int]:
            found = read(
                "select due_months from published.dim_vaccine_dose where vaccine_code = 'DTaP'"
                " and born_from <= :born and born_to > :born order by dose_no",
                born=date.fromisoformat(born),
            )
            return [row["due_months"] for row in found]

        assert doses("2015-06-01") == [3, 4, 5, 18]
        assert doses("2020-06-01") == [3, 4, 5, 18, 72]
        assert doses("2025-06-01") == [2, 4, 6, 18, 72]

    def test_editions_say_what_they_count_and_when_they_are_due(self, read):
        assert read(
            "select edition, period_type, valid_from, due_months_after, due_day from published.dim_form_edition"
            " where form_code = 'hosp_monthly' and valid_from <= '2015-06-01' and valid_to > '2015-06-01'"
        ) == [
            {
                "edition": "2015",
                "period_type": "month",
                "valid_from": date(2015, 1, 1),
                "due_months_after": 1,
                "due_day": 20,
            }
        ]


class TestReleases:
    CASES = "select cases from published.fct_notifiable_disease where region_code = '320602'"
    HISTORY = "select valid_from, ownership from published.dim_organization where organization_code = 'H1' order by 1"

    def test_as_known_is_the_newest_and_as_published_what_the_release_said(self, read):
        assert read(self.CASES) == [{"cases": 3}]
        assert read(self.CASES, release=1) == [{"cases": 1}]

    def test_a_repair_of_a_units_history_is_in_the_next_release_only(self, read):
        assert [row["valid_from"].year for row in read(self.HISTORY)] == [1998, 2000, 2010, 2015]
        assert read(self.HISTORY)[0]["ownership"] == "private"
        assert [row["valid_from"].year for row in read(self.HISTORY, release=1)] == [2000, 2010, 2015]

    def test_releases_are_a_table_that_bi_may_join(self, read):
        listed = (
            "select release, status, is_read, published_at is not null as dated"
            " from published.dim_release order by 1"
        )
        assert read(listed) == [
            {"release": 1, "status": "earlier", "is_read": False, "dated": True},
            {"release": 2, "status": "current", "is_read": True, "dated": True},
        ]
        assert [row["is_read"] for row in read(listed, release=1)] == [True, False]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("update star.dim_organization set valid_to = valid_to + 1 where release_to = 2147483647"
         " and valid_from = '2000-01-01'", "no_overlap"),
        ("update star.dim_organization set valid_to = valid_to - 1 where release_to = 2147483647"
         " and valid_from = '2000-01-01'", "do not follow each other"),
        ("update star.dim_region set valid_to = '2030-01-01' where region_code = '440511' and valid_to = '1991-01-01'",
         "no_overlap"),
        # Between two spells of 上城; of a code that lapsed: until the day that it names, and only if it names one.
        ("update star.dim_region set valid_to = '2021-06-01' where region_code = '330102' and valid_to = '2022-01-01'",
         "do not follow each other"),
        ("update star.dim_region set lapses_until = '2000-01-01' where region_code = '440511'"
         " and valid_to = '1991-01-01'", "do not follow each other"),
        ("update star.dim_region set lapses_until = null where region_code = '440511' and valid_to = '1991-01-01'",
         "do not follow each other"),
        ("delete from star.dim_organization where release_to = 2147483647 and organization_code = 'H1'"
         " and applies_from = '0001-01-01'", "do not begin with the first"),
        ("update star.dim_organization set applies_from = '0001-01-01' where release_to = 2147483647"
         " and organization_code = 'H1' and valid_from = '2015-07-01'", "do not begin with the first"),
    ],
)  # fmt: skip
def test_the_database_refuses_spells_that_overlap_or_leave_a_gap(star, statement, what):
    with pytest.raises(DBAPIError, match=what), engine(Role.BUILDER).begin() as connection:
        assert connection.execute(text(statement)).rowcount


def test_a_code_that_lapsed_says_until_when(read):
    """440511 was 郊区 until 1991 and is 金平区 in statistics since 2004; no other code of the list lapsed."""
    assert read(
        "select region_code, valid_to, lapses_until from published.dim_region where lapses_until is not null"
    ) == [{"region_code": "440511", "valid_to": date(1991, 1, 1), "lapses_until": date(2004, 1, 1)}]


def test_a_unit_may_go_whole(star):
    with engine(Role.BUILDER).connect() as connection, connection.begin() as transaction:
        gone = "delete from star.dim_organization where organization_code = 'H1' and release_to = 2147483647"
        assert connection.execute(text(gone)).rowcount
        connection.execute(text("set constraints all immediate"))
        transaction.rollback()


def test_a_day_may_move_as_long_as_the_spells_meet_again_when_the_transaction_ends(star):
    moved = (
        "update star.dim_organization set {} = '2014-01-01' where organization_key > 0 and {} = '2015-07-01'"
    )
    with engine(Role.BUILDER).connect() as connection, connection.begin() as transaction:
        for end in ("valid_to", "valid_from"):
            assert connection.execute(text(moved.format(end, end))).rowcount == 1
        connection.execute(text("set constraints all immediate"))
        transaction.rollback()
