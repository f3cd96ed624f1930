"""The files of the programmes: what disease control, maternal care, centres and the bureau send, and when."""

from collections.abc import Iterator, Sequence

from samples.longhu import programmes, residents, vaccinations
from samples.longhu.figures import MONTHS, YEAR
from samples.longhu.moments import delivery, next_month
from samples.sheets import Record, table_of
from samples.writers import Delivery, as_csv, as_xlsx

CONSTRUCTED = "构造样例数据（非真实上报）"
UTF_8_BOM, GB18030 = "utf-8-sig", "gb18030"
PLAN_YEARS = range(2011, 2015)
"""Years before 2015 of which the plan adds up what was done."""


def deliveries() -> Iterator[Delivery]:
    """Everything of the programmes up to January 2016."""
    for month in MONTHS:
        yield next_month(
            f"cdc/{YEAR}/龙湖区{YEAR}年{month:02d}月常规接种情况.csv",
            _csv("epi_monthly", vaccinations.month(month), GB18030),
            month,
            day=4,
        )
        yield next_month(
            f"cdc/{YEAR}/龙湖区{YEAR}年{month:02d}月艾滋病检测.xlsx",
            _xlsx("hiv_test_monthly", programmes.hiv_tests(month)),
            month,
            day=8,
        )
    for quarter in range(1, 5):
        yield from _quarter(quarter)
    yield delivery(
        f"mch/龙湖区{YEAR}年度7岁以下儿童保健年报.xlsx",
        _xlsx("mch_child_annual", programmes.child_annual()),
        YEAR,
        10,
        10,
    )
    yield delivery(
        f"mch/龙湖区{YEAR}年度妇女常见病筛查年报.csv",
        _csv("women_screening_annual", programmes.women_annual(), UTF_8_BOM),
        YEAR,
        10,
        10,
    )
    for year in (*PLAN_YEARS, YEAR):
        yield delivery(
            f"cdc/改厕/龙湖区{year}年改厕季报.csv",
            _csv("toilet_quarterly", programmes.toilets(year), UTF_8_BOM),
            year + 1,
            1,
            15,
        )
    for year in PLAN_YEARS:
        yield delivery(
            f"bureau/重点任务/{year}年重点任务进度_年底.csv",
            _csv("task_progress", programmes.tasks(year, 4), UTF_8_BOM),
            year + 1,
            1,
            4,
        )
    yield from _of_the_bureau()


def _quarter(quarter: int) -> Iterator[Delivery]:
    last = 3 * quarter
    name = f"{YEAR}年第{quarter}季度"
    yield next_month(
        f"hospital/基层汇总/{name}基本公共卫生服务.xlsx",
        _xlsx("bphs_quarterly", programmes.basic_services(quarter)),
        last,
        day=4,
    )
    yield next_month(
        f"cdc/{YEAR}/龙湖区{name}严重精神障碍.csv",
        _csv("smi_quarterly", programmes.mental_illness(quarter), UTF_8_BOM),
        last,
        day=9,
    )
    yield next_month(
        f"mch/龙湖区{name}两癌检查.csv",
        _csv("women_screening_quarterly", programmes.women_screening(quarter), GB18030),
        last,
        day=8,
    )
    yield next_month(
        f"mch/龙湖区{name}新生儿疾病筛查.xlsx",
        _xlsx("newborn_screening_monthly", programmes.newborn_screening(range(last - 2, last + 1))),
        last,
        day=15,
    )
    yield next_month(
        f"bureau/重点任务/{name}重点任务进度.xlsx",
        _xlsx("task_progress", programmes.tasks(YEAR, quarter)),
        last,
        day=4,
    )


def _of_the_bureau() -> Iterator[Delivery]:
    """Residents, expenditure, titles."""
    for year in residents.RESIDENTS_END:
        yield delivery(
            f"bureau/人口/龙湖区{year}年人口分母.csv",
            _csv("population_denominators", residents.population(year), UTF_8_BOM),
            year + 1,
            1,
            25,
        )
    yield delivery(
        f"bureau/龙湖区{YEAR}年卫生总费用_初步核算.xlsx",
        _xlsx("finance_annual", residents.expenditure()),
        YEAR + 1,
        1,
        28,
    )
    yield delivery(
        "bureau/命名台账_2011-2015.csv",
        _csv("certification_register", programmes.certificates(), UTF_8_BOM),
        YEAR,
        12,
        30,
    )


def _csv(form: str, records: Sequence[Record], encoding: str) -> bytes:
    return as_csv(table_of(form, records, titles=[CONSTRUCTED]), encoding=encoding)


def _xlsx(form: str, records: Sequence[Record]) -> bytes:
    return as_xlsx(table_of(form, records, titles=[CONSTRUCTED]))
