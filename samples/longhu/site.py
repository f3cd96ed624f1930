"""The site folder of the sample: sources, units with their history, duties, waivers."""

import csv
import io
from datetime import date

from samples.longhu import clinics
from samples.longhu.programmes import DELIVERING, HIV_TESTED_AT
from samples.longhu.units import (
    CDC,
    CENTRE_1,
    CENTRE_2,
    CENTRE_3,
    HOSPITALS,
    INSTITUTIONS,
    MCH,
    PRIMARY_CARE,
    PRIVATE_1,
    PRIVATE_2,
    PRIVATE_3,
    PUBLIC_1,
    PUBLIC_2,
    PUBLIC_3,
    REGION,
    SUPERVISION,
    TOWNSHIP_1,
    TOWNSHIP_2,
    UNITS,
    Unit,
)

CONSTRUCTED = "构造样例，非真实机构"

SOURCES = f"""\
# 构造样例数据：四条通道，每条通道一个收件文件夹（inbox/<code>）。
- code: hospital
  name_zh: 医疗机构统计报表
- code: cdc
  name_zh: 疾控中心法定传染病月报
  region_code: "{REGION}"
  reporter: {CDC.code}
- code: mch
  name_zh: 妇幼保健年报
  region_code: "{REGION}"
  reporter: {MCH.code}
- code: bureau
  name_zh: 卫生计生局：人口、费用、任务、命名
  region_code: "{REGION}"
"""

WAIVERS = """\
# 已知问题的豁免：rule, form, subject, period_from, period_to, owner, reason, expires_on。
# 样例中没有豁免。写法（去掉各行的#和末行的[]；expires_on之后不再豁免）：
# - rule: HM01
#   form: hosp_monthly
#   subject: LH-H02
#   period_from: 2015-06-01
#   period_to: 2015-06-30
#   owner: 规划信息科
#   reason: 门急诊系统切换，当月门急诊口径含健康体检
#   expires_on: 2030-12-31
[]
"""

EVENT_COLUMNS = (
    "organization_code", "event_date", "event_type", "name_zh", "uscc", "org_code_22", "class_code",
    "second_class_code", "economic_type_code", "sponsor_code", "management_class_code", "level_code",
    "grade_code", "region_code", "township_code", "is_proxy_reporter", "is_branch",
    "related_organization_code", "note",
)  # fmt: skip
DUTY_COLUMNS = (
    "form_code", "subject_type", "subject_code", "reporter_code", "valid_from", "valid_to", "exempt_reason",
)  # fmt: skip

Event = dict[str, str]

OPENED = {
    PUBLIC_1.code: date(1985, 7, 1),
    PUBLIC_2.code: date(1987, 10, 1),
    PUBLIC_3.code: date(1979, 1, 1),
    PRIVATE_1.code: date(1998, 5, 1),
    PRIVATE_2.code: date(2006, 9, 1),
    PRIVATE_3.code: date(2013, 4, 1),
    CENTRE_1.code: date(2007, 1, 1),
    CENTRE_2.code: date(2007, 1, 1),
    CENTRE_3.code: date(2008, 7, 1),
    TOWNSHIP_1.code: date(1966, 1, 1),
    TOWNSHIP_2.code: date(1968, 1, 1),
    CDC.code: date(2004, 3, 1),
    MCH.code: date(1992, 6, 1),
    SUPERVISION.code: date(2004, 3, 1),
}

# How a unit stood when it opened, where that differs from 2015. The events below bring it up to date.
AT_OPENING: dict[str, Event] = {
    PUBLIC_1.code: {"level_code": "1", "grade_code": "2"},
    PUBLIC_2.code: {
        "name_zh": "龙湖样例街道卫生院二",
        "class_code": "C100",
        "level_code": "9",
        "grade_code": "9",
    },
    PUBLIC_3.code: {"level_code": "9", "grade_code": "9"},
    PRIVATE_1.code: {"economic_type_code": "120", "sponsor_code": "2"},
    TOWNSHIP_1.code: {"is_proxy_reporter": "0"},
    TOWNSHIP_2.code: {"is_proxy_reporter": "0"},
}
LATER: tuple[tuple[Unit, date, str, Event], ...] = (
    (
        PUBLIC_1,
        date(2011, 12, 1),
        "regrade",
        {"level_code": "2", "grade_code": "2", "note": "评定为二级甲等"},
    ),
    (
        PUBLIC_2,
        date(2009, 1, 1),
        "reclass",
        {"name_zh": PUBLIC_2.name, "class_code": "A100", "note": "街道卫生院转为综合医院并更名"},
    ),
    (
        PUBLIC_2,
        date(2012, 12, 1),
        "regrade",
        {"level_code": "2", "grade_code": "3", "note": "评定为二级乙等"},
    ),
    (
        PUBLIC_3,
        date(2012, 12, 1),
        "regrade",
        {"level_code": "1", "grade_code": "2", "note": "评定为一级甲等"},
    ),
    (
        PRIVATE_1,
        date(2009, 7, 1),
        "ownership",
        {"economic_type_code": "172", "sponsor_code": "3", "note": "集体所有制改制为私有合伙，自此属民营"},
    ),
    (PRIVATE_2, date(2015, 7, 1), "rename", {"name_zh": PRIVATE_2.name, "note": "年中更名，性质不变"}),
    (
        CENTRE_1,
        date(2010, 1, 1),
        "other",
        {"related_organization_code": PUBLIC_1.code, "note": "挂靠公立医院一"},
    ),
    (
        CENTRE_2,
        date(2010, 1, 1),
        "other",
        {"related_organization_code": PUBLIC_2.code, "note": "挂靠公立医院二"},
    ),
    (
        CENTRE_3,
        date(2010, 1, 1),
        "other",
        {"related_organization_code": PUBLIC_3.code, "note": "挂靠公立医院三"},
    ),
    (TOWNSHIP_1, date(2011, 1, 1), "other", {"is_proxy_reporter": "1", "note": "登记为村卫生室代报机构"}),
    (TOWNSHIP_2, date(2011, 1, 1), "other", {"is_proxy_reporter": "1", "note": "登记为村卫生室代报机构"}),
    (MCH, date(2014, 7, 1), "rename", {"name_zh": MCH.name, "note": "妇幼保健与计生技术服务资源整合后更名"}),
)


def files() -> dict[str, str]:
    """Name and text of every file of the site folder."""
    return {
        "sources.yml": SOURCES,
        "waivers.yml": WAIVERS,
        "organizations.csv": _csv(EVENT_COLUMNS, events()),
        "duties.csv": _csv(DUTY_COLUMNS, duties()),
    }


def events() -> list[Event]:
    """Dated events of all units: each opens once, then changes."""
    opened = [_opening(unit) for unit in UNITS]
    later = [
        {"organization_code": unit.code, "event_date": day.isoformat(), "event_type": kind, **changes}
        for unit, day, kind, changes in LATER
    ]
    opened += clinics.events(REGION, CONSTRUCTED)
    return sorted(opened + later, key=lambda event: (event["organization_code"], event["event_date"]))


def duties() -> list[Event]:
    """Who files what for 2015. The maternal-child year 2015 runs from October 2014 to September 2015."""
    year = ("2015-01-01", "2016-01-01")
    filed = [("hosp_monthly", unit, year) for unit in INSTITUTIONS]
    filed += [("inst_annual_hospital", unit, year) for unit in HOSPITALS]
    filed += [("inst_annual_phc", unit, year) for unit in PRIMARY_CARE]
    rows = [_duty(form, "organization", unit.code, unit.code, spell) for form, unit, spell in filed]
    rows.append(_duty("idr_monthly", "region", REGION, CDC.code, year))
    maternal = ("2014-10-01", "2015-10-01")
    rows += [
        _duty(form, "region", REGION, MCH.code, maternal)
        for form in ("mch_maternal_annual", "mch_child_annual", "women_screening_annual")
    ]
    rows += [
        _duty(form, "organization", unit.code, unit.code, year)
        for form in ("bphs_quarterly", "epi_monthly")
        for unit in PRIMARY_CARE
    ]
    rows += [
        _duty("newborn_screening_monthly", "organization", unit.code, MCH.code, year)
        for unit, _ in DELIVERING
    ]
    rows += [_duty("hiv_test_monthly", "organization", code, code, year) for code in HIV_TESTED_AT]
    rows += [_duty("task_progress", "organization", unit.code, unit.code, year) for unit in (CDC, MCH)]
    rows.append(_duty("smi_quarterly", "region", REGION, CDC.code, year))
    rows.append(_duty("women_screening_quarterly", "region", REGION, MCH.code, year))
    return rows


def _opening(unit: Unit) -> Event:
    return {
        "organization_code": unit.code,
        "event_date": OPENED[unit.code].isoformat(),
        "event_type": "open",
        "name_zh": unit.former_name or unit.name,
        "uscc": unit.uscc,
        "org_code_22": unit.org_code_22,
        "class_code": unit.class_code,
        "economic_type_code": unit.economic_type,
        "sponsor_code": unit.sponsor,
        "management_class_code": unit.management_class,
        "level_code": unit.level,
        "grade_code": unit.grade,
        "region_code": REGION,
        "township_code": unit.township,
        "is_proxy_reporter": "0",
        "is_branch": "0",
        "note": CONSTRUCTED,
        **({"second_class_code": "B100"} if unit.second_name_is_chc else {}),
        **AT_OPENING.get(unit.code, {}),
    }


def _duty(form: str, subject_type: str, subject: str, reporter: str, spell: tuple[str, str]) -> Event:
    return {
        "form_code": form,
        "subject_type": subject_type,
        "subject_code": subject,
        "reporter_code": reporter,
        "valid_from": spell[0],
        "valid_to": spell[1],
    }


def _csv(columns: tuple[str, ...], rows: list[Event]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
