"""The files of the sample: which bureau, hospital or centre sends what, in which shape, and when."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from samples import labels
from samples.longhu import diseases, figures, maternal
from samples.longhu.figures import MONTHS, YEAR, Values
from samples.longhu.incidents import AMENDMENT, BROKEN, LATE, MONTHLY, RESENT, amended_month, broken_month
from samples.longhu.moments import delivery, next_month
from samples.longhu.programme_files import deliveries
from samples.longhu.residents import RESIDENTS_END
from samples.longhu.units import (
    CDC,
    HOSPITALS,
    PRIMARY_CARE,
    PRIVATE_1,
    PRIVATE_2,
    PRIVATE_3,
    PUBLIC_1,
    PUBLIC_2,
    PUBLIC_3,
    REGION,
    REGION_NAME,
    Unit,
)
from samples.writers import Cell, Delivery, Table, as_csv, as_xlsx

CONSTRUCTED = "构造样例数据（非真实上报）"
UNIT_NOTE = "单位：人、张、床日、人次，金额为千元"

UTF_8, UTF_8_BOM, GB18030 = "utf-8", "utf-8-sig", "gb18030"
HOSPITAL_YEAR, PRIMARY_YEAR = "inst_annual_hospital", "inst_annual_phc"
DISEASES, MATERNAL = "idr_monthly", "mch_maternal_annual"
IDENTITY = {"organization_code", "uscc", "org_code_22", "org_name", "report_month", "report_year"}


def main_delivery() -> list[Delivery]:
    """Everything that arrived for 2015 up to January 2016."""
    sent: list[Delivery] = []
    for m in MONTHS:
        sent += _monthly_files(m)
        sent.append(_bulletin(m))
    sent += [_resent(), _broken(), *_annual_files(), _maternal(), *deliveries()]
    return sorted(sent, key=lambda one: (one.received_at, one.path))


def amendment_delivery() -> list[Delivery]:
    """The one file that came later and changes a published number."""
    table = _template(MONTHLY, [(PUBLIC_1, amended_month())], month=11, note="订正报表")
    return [delivery(AMENDMENT.file, as_xlsx(table), 2016, 3, 8, hour=10)]


def _monthly_files(m: int) -> Iterable[Delivery]:
    """The month's reports of the eleven institutions, each in its own habit."""
    iso, compact, chinese = f"{YEAR}-{m:02d}", f"{YEAR}{m:02d}", f"{YEAR}年{m}月"

    def one(unit: Unit) -> list[tuple[Unit, Values]]:
        return [(unit, figures.month(unit, m))]

    yield next_month(
        f"hospital/公立医院一/医疗服务月报表_{YEAR}年{m:02d}月.xlsx",
        as_xlsx(_template(MONTHLY, one(PUBLIC_1), month=m)),
        m,
        day=8,
    )
    yield next_month(
        f"hospital/公立医院二/{compact}_月报.csv",
        as_csv(_plain(MONTHLY, one(PUBLIC_2), ("uscc", "org_name", "report_month"), iso), encoding=GB18030),
        m,
        day=10,
    )
    yield next_month(
        f"hospital/公立医院三/月报{compact}.csv",
        as_csv(
            _plain(MONTHLY, one(PUBLIC_3), ("org_code_22", "org_name", "report_month"), chinese),
            encoding=UTF_8_BOM,
        ),
        m,
        day=12,
    )
    yield next_month(
        f"hospital/民营医院一/{iso} 月报表.xlsx",
        as_xlsx(
            _plain(
                MONTHLY, one(PRIVATE_1), ("report_month", "uscc", "org_name"), compact, titles=[CONSTRUCTED]
            )
        ),
        m,
        day=15,
    )
    yield next_month(
        f"hospital/民营医院二/{iso}.csv",
        as_csv(_plain(MONTHLY, one(PRIVATE_2), ("uscc", "org_name", "report_month"), iso), encoding=UTF_8),
        m,
        day=27 if date(YEAR, m, 1) == LATE.period_start else 14,
    )
    # This hospital sends the workbook of the whole year so far, one sheet a month.
    sheets = [
        _template(MONTHLY, [(PRIVATE_3, figures.month(PRIVATE_3, past))], month=past, sheet=f"{past}月")
        for past in range(1, m + 1)
    ]
    yield next_month(f"hospital/民营医院三/{YEAR}年1-{m}月.xlsx", as_xlsx(*sheets), m, day=16)
    # The bureau collects the primary-care units, one table a month.
    units = [(unit, figures.month(unit, m)) for unit in PRIMARY_CARE]
    if m % 2:
        content = as_xlsx(_template(MONTHLY, units, month=m, total=True))
        yield next_month(f"hospital/基层汇总/基层医疗卫生机构月报_{compact}.xlsx", content, m, day=18)
    else:
        table = _plain(MONTHLY, units, ("organization_code", "org_name", "report_month"), f"{YEAR}.{m:02d}")
        content = as_csv(table, encoding=GB18030)
        yield next_month(f"hospital/基层汇总/基层医疗卫生机构月报_{compact}.csv", content, m, day=18)


def _annual_files() -> Iterable[Delivery]:
    """Annual forms for 2015, due on 20 January 2016."""
    public = [(unit, _annual(unit)) for unit in HOSPITALS[:3]]
    yield delivery(
        "hospital/公立医院年报/2015年公立医院年报.xlsx",
        as_xlsx(_template(HOSPITAL_YEAR, public)),
        2016,
        1,
        14,
    )
    keys = ("uscc", "org_name", "report_year")
    private = [[(unit, _annual(unit))] for unit in (PRIVATE_1, PRIVATE_2, PRIVATE_3)]
    yield delivery(
        "hospital/民营医院一/2015年年报.xlsx", as_xlsx(_template(HOSPITAL_YEAR, private[0])), 2016, 1, 12
    )
    yield delivery(
        "hospital/民营医院二/2015年报.csv",
        as_csv(_plain(HOSPITAL_YEAR, private[1], keys, str(YEAR)), encoding=GB18030),
        2016,
        1,
        18,
    )
    yield delivery(
        "hospital/民营医院三/年报2015.csv",
        as_csv(_plain(HOSPITAL_YEAR, private[2], keys, str(YEAR)), encoding=UTF_8_BOM),
        2016,
        1,
        19,
    )
    primary = [(unit, _annual(unit)) for unit in PRIMARY_CARE]
    yield delivery(
        "hospital/基层汇总/2015年基层医疗卫生机构年报.xlsx",
        as_xlsx(_template(PRIMARY_YEAR, primary, total=True)),
        2016,
        1,
        15,
    )


def _resent() -> Delivery:
    table = _plain(
        MONTHLY, [(PUBLIC_1, figures.month(PUBLIC_1, 3))], ("uscc", "org_name", "report_month"), f"{YEAR}-03"
    )
    return delivery(RESENT.file, as_csv(table, encoding=UTF_8), YEAR, 4, 22)


def _broken() -> Delivery:
    table = _plain(MONTHLY, [(PUBLIC_2, broken_month())], ("uscc", "org_name", "report_month"), f"{YEAR}-06")
    return delivery(BROKEN.file, as_csv(table, encoding=GB18030), YEAR, 7, 28)


def _bulletin(m: int) -> Delivery:
    """The district's disease bulletin: CSV in the first half-year, then a workbook with rates."""
    counts = diseases.month(m)
    lines = diseases.bulletin()
    column = labels.columns(DISEASES)
    fields = ["disease_code", "cases", "deaths"] + (["incidence"] if m > 6 else [])
    rows: list[list[Cell]] = []
    for line in lines:
        cases, deaths = counts[line.code]
        rate: list[Cell] = [_per_100_000(cases)] if m > 6 else []
        rows.append([line.text, cases, deaths, *rate])
    titles = [CONSTRUCTED, f"{REGION_NAME}{YEAR}年{m}月法定传染病发病死亡统计表"]
    table = Table([column[field].name_zh for field in fields], rows, titles=titles, name=f"{YEAR}年{m}月")
    stem = f"cdc/{YEAR}/龙湖区{YEAR}年{m:02d}月法定传染病"
    if m > 6:
        note = f"注：发病率按样例上年末常住人口{RESIDENTS_END[2014]}人计算"
        table = Table(
            table.columns, rows, titles=titles, footers=[f"填报单位：{CDC.name}", note], name=table.name
        )
        return next_month(f"{stem}.xlsx", as_xlsx(table), m, day=9)
    return next_month(f"{stem}.csv", as_csv(table, encoding=UTF_8_BOM), m, day=9)


def _maternal() -> Delivery:
    column = labels.columns(MATERNAL)
    fields = [field for field in maternal.VALUES if field != "residence_class"]
    table = Table(
        [column[field].name_zh for field in fields],
        [[maternal.VALUES[field] for field in fields]],
        sections=[column[field].section for field in fields],
        titles=[CONSTRUCTED, f"{YEAR}年度{labels.form(MATERNAL).name_zh}（2014年10月1日至2015年9月30日）"],
        footers=["注：-2 表示未开展；检测人数按助产机构所在地统计，含非户籍产妇。"],
        name="孕产妇",
    )
    return delivery("mch/龙湖区2015年度孕产妇保健年报.xlsx", as_xlsx(table), YEAR, 10, 10)


def _annual(unit: Unit) -> Values:
    """The annual report with the unit's own attributes."""
    return {
        "registration_type": unit.economic_type,
        "management_class": unit.management_class,
        "sponsor_code": unit.sponsor,
        "org_class": unit.class_code,
        "region_code": REGION,
        "township_code": unit.township,
        "is_branch": "否",
        "second_name_is_chc": "是" if unit.second_name_is_chc else "否",
        "hospital_level": unit.level,
        "hospital_grade": unit.grade,
        "standard_met": "是",
        **figures.year(unit),
    }


def _template(
    form: str,
    records: Sequence[tuple[Unit, Values]],
    *,
    month: int | None = None,
    sheet: str = "Sheet1",
    note: str | None = None,
    total: bool = False,
) -> Table:
    """The official template: title rows with the period, two header rows, every column of the form."""
    columns = labels.columns(form)
    fields = ["uscc", "org_name"] + [field for field in columns if field not in IDENTITY]
    period = f"统计年月：{YEAR}年{month}月" if month else f"统计年份：{YEAR}年"
    day = date(YEAR, month or 12, 1)
    rows = [_row(unit, values, fields, day) for unit, values in records]
    if total:
        rows.append(_total(rows, fields, records))
    titles = [CONSTRUCTED, labels.form(form).name_zh + (f"（{note}）" if note else ""), period, UNIT_NOTE]
    return Table(
        [columns[field].name_zh for field in fields],
        rows,
        sections=[columns[field].section for field in fields],
        titles=titles,
        footers=["填表人：（样例）    审核人：（样例）"],
        name=sheet,
    )


def _plain(
    form: str,
    records: Sequence[tuple[Unit, Values]],
    keys: Sequence[str],
    period: str,
    *,
    titles: Sequence[str] = (),
) -> Table:
    """One header row, only the columns that are filled, the period in a column of its own."""
    columns = labels.columns(form)
    filled = {field for _, values in records for field, value in values.items() if value is not None}
    fields = [*keys, *(field for field in columns if field in filled and field not in keys)]
    day = date(YEAR, _month_of(period), 1)
    rows = [_row(unit, values | _period(form, period), fields, day) for unit, values in records]
    return Table([columns[field].name_zh for field in fields], rows, titles=titles)


def _row(unit: Unit, values: Values, fields: Sequence[str], day: date) -> list[Cell]:
    named: Values = {
        "organization_code": unit.code,
        "uscc": unit.uscc,
        "org_code_22": unit.org_code_22,
        "org_name": unit.name_on(day),
    }
    everything = named | values
    return [everything.get(field) for field in fields]


def _total(
    rows: Sequence[Sequence[Cell]], fields: Sequence[str], records: Sequence[tuple[Unit, Values]]
) -> list[Cell]:
    """The line of totals that collected tables end with; it is nobody's report."""
    total: list[Cell] = []
    for position, field in enumerate(fields):
        cells = [row[position] for row in rows]
        numbers = [Decimal(cell) for cell in cells if isinstance(cell, int | Decimal)]
        if field == "org_name":
            total.append("合计")
        else:
            total.append(sum(numbers, Decimal(0)) if len(numbers) == len(records) else None)
    return total


def _period(form: str, text: str) -> Values:
    return {"report_month" if form == MONTHLY else "report_year": text}


def _month_of(period: str) -> int:
    """Month of a period as written in these files; December for a year."""
    digits = period.replace(f"{YEAR}", "", 1).strip(".-年月")
    return int(digits) if digits else 12


def _per_100_000(cases: int) -> Decimal:
    rate = Decimal(cases) * 100_000 / RESIDENTS_END[2014]
    return rate.quantize(Decimal("0.0001"), ROUND_HALF_UP)
