"""Residents and health expenditure of the district in 2015.

The plan prints 2.3 visits a resident, which 1,261,543 visits allow for 536,827 to 560,685 residents on average; beds,
doctors and nurses per thousand, printed elsewhere in it, imply 511,000, 497,000 and 654,000 residents. No table of
residents yields them all; this one yields the visits. The shares of expenditure are printed, its sum is invented.
"""

from decimal import Decimal

from samples.longhu.units import REGION, REGION_NAME
from samples.sheets import Record

RESIDENTS_END = {2014: 546_000, 2015: 551_000}
RESIDENTS_AVERAGE = {2014: 543_600, 2015: 548_500}
REGISTERED_END = {2014: 391_200, 2015: 394_700}

EXPENDITURE = {
    "the_total": Decimal("85000.0"),
    "the_government": Decimal("38437.0"),
    "the_social": Decimal("22814.0"),
    "the_personal": Decimal("23749.0"),
    "gdp": Decimal("3182000.0"),
    "fiscal_health": Decimal("34100.0"),
    "bphs_funds": Decimal("2204.0"),
}
"""Ten thousand yuan."""


def population(year: int) -> list[Record]:
    """The table of residents of a year, one row a definition."""
    people = {
        "RESIDENT_END": RESIDENTS_END[year],
        "RESIDENT_AVERAGE": RESIDENTS_AVERAGE[year],
        "REGISTERED_END": REGISTERED_END[year],
    }
    return [
        {
            "region_code": REGION,
            "region_name": REGION_NAME,
            "year": year,
            "definition": definition,
            "population": number,
            "population_65_plus": number * 71 // 1000,
            "source_version": "快报",
        }
        for definition, number in people.items()
    ]


def expenditure() -> list[Record]:
    """The preliminary account of total health expenditure for 2015."""
    return [{"region_code": REGION, "region_name": REGION_NAME, "report_year": 2015, **EXPENDITURE}]
