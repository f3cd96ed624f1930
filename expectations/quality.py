"""The quality report: what each unit has to mend, how it stood before, where it stands among the others.

A page and a workbook for every unit that has something to mend, and a first page for the bureau: who mends what, by
role, with the unit's workbook or the SQL that shows the rows. Made after publishing, from stored findings alone.
"""

# Names put into the SQL are our own; values are parameters.

import html
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from sqlalchemy import Engine, text

from expectations.results import CheckResult, Verdict, last_verdict
from expectations.wording import in_chinese, period
from warehouse.database import Role, make_engine
from warehouse.settings import Settings

log = structlog.get_logger()

NIGHTS = 12
"""Releases that a trend goes back."""

ROLES = {"reporting_unit": "填报单位", "statistician": "统计科", "engineer": "数据工程师"}

_SHORT, _NARROW = ' class="short"', (1, 3, 4, 7)
"""Columns of a unit's page that stay on one line."""

_FINDINGS = """
select finding.check_id, finding.subject_code, finding.form_code, finding.field_code, finding.breakdown,
    finding.indicator_code, finding.slice, finding.period_type, finding.period_start, report.period_end,
    finding.observed, finding.expected, finding.cause, finding.is_new, finding.waiver, form.name_zh as form_name,
    field.name_zh as field_name
from audit.finding as finding
left join registry.report as report on finding.report_id = report.report_id
left join lateral (
    select definition.name_zh from registry.form as definition where definition.form_code = finding.form_code
    order by definition.edition desc limit 1
) as form on true
left join lateral (
    select known.name_zh from registry.form_field as known
    where known.form_code = finding.form_code and known.field_code = finding.field_code limit 1
) as field on true
where finding.release_id = :release and finding.attempt = :attempt and finding.score > finding.threshold
    and finding.subject_code is not null
order by finding.subject_code, finding.is_new desc, finding.check_id, finding.period_start desc, finding.key
"""

_NAMES = "select distinct on (field_code) field_code, name_zh from registry.form_field order by field_code, form_code"

_TREND = """
select finding.subject_code, finding.release_id, count(*) as failures
from audit.finding as finding
inner join warehouse.release as release on finding.release_id = release.release_id
where finding.attempt > 0 and finding.score > finding.threshold and finding.waiver is null
    and finding.subject_code is not null and finding.release_id <= :release and finding.release_id > :release - :nights
    and (release.status = 'published' or finding.release_id = :release)
group by finding.subject_code, finding.release_id
order by finding.subject_code, finding.release_id
"""

_UNITS = """
select report.subject_code, count(*) as reports,
    (
        select event.name_zh from registry.organization_event as event
        inner join registry.organization as unit on event.organization_key = unit.organization_key
        where unit.organization_code = report.subject_code and event.name_zh is not null
        order by event.event_date desc limit 1
    ) as name_zh
from registry.report as report
where report.current_revision_id is not null and report.period_type <> 'event'
group by report.subject_code
"""

_STYLE = """
body {font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 1.5rem; color: #222}
table {border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem}
td, th {border: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top}
td {overflow-wrap: anywhere} td:first-child {min-width: 10rem} .short, summary {white-space: nowrap}
summary {cursor: pointer}
.new {background: #fff3d6} .number {text-align: right} code {font-size: 13px; overflow-wrap: anywhere}
.bar {display: inline-block; width: 14px; margin-right: 3px; background: #4a7fb5;
vertical-align: bottom}
"""


@dataclass(frozen=True)
class Unit:
    """One unit's report: its findings, its trend, its position."""

    code: str
    name: str
    reports: int
    findings: tuple[Mapping[str, Any], ...]
    trend: tuple[tuple[int, int], ...]
    position: int
    units: int

    @property
    def open(self) -> list[Mapping[str, Any]]:
        """Findings that no waiver covers."""
        return [finding for finding in self.findings if finding["waiver"] is None]

    @property
    def rate(self) -> float:
        """Findings per hundred reports."""
        return 100 * len(self.open) / max(self.reports, 1)


def build(settings: Settings, release_id: int | None = None) -> Path | None:
    """Write the pages of the last audit (or of a release) below ``settings.artifacts``; returns the first one."""
    auditor = make_engine(settings, Role.AUDITOR)
    try:
        verdict = last_verdict(auditor, release_id)
        if verdict is None:
            return None
        units = read(auditor, verdict)
    finally:
        auditor.dispose()
    folder = settings.artifacts / "quality"
    fresh = folder.with_name(".quality.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    checks = {result.check_id: result for result in verdict.results}
    for unit in units:
        if unit.findings:
            (fresh / f"{unit.code}.html").write_text(page(unit, verdict, checks), encoding="utf-8")
            workbook(unit, verdict, checks).save(fresh / f"{unit.code}.xlsx")
    (fresh / "index.html").write_text(index(units, verdict), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    log.info("quality report written", release=verdict.release_id, units=sum(bool(u.findings) for u in units))
    return folder / "index.html"


def read(auditor: Engine, verdict: Verdict) -> list[Unit]:
    """Units and regions that report, the best first: findings per hundred reports decide."""
    here = {"release": verdict.release_id, "attempt": verdict.attempt, "nights": NIGHTS}
    findings, trends = defaultdict(list), defaultdict(list)
    with auditor.connect() as connection:
        names = {row.field_code: row.name_zh for row in connection.execute(text(_NAMES))}
        for found in connection.execute(text(_FINDINGS), here).mappings():
            finding = dict(found)
            said = {"cause": in_chinese(finding["cause"], names), "period": period(finding)}
            findings[finding["subject_code"]].append(finding | said)
        for row in connection.execute(text(_TREND), here).mappings():
            trends[row["subject_code"]].append((row["release_id"], row["failures"]))
        known = {row["subject_code"]: row for row in connection.execute(text(_UNITS)).mappings()}
    reports = dict.fromkeys(findings, 0) | {code: row["reports"] for code, row in known.items()}
    rates = {
        code: sum(finding["waiver"] is None for finding in findings[code]) / max(number, 1)
        for code, number in reports.items()
    }
    ordered = sorted(rates, key=lambda code: (rates[code], code))
    better = {code: sum(other < rates[code] for other in rates.values()) for code in rates}
    return [
        Unit(
            code,
            (known[code]["name_zh"] if code in known else None) or code,
            reports[code],
            tuple(findings[code]),
            tuple(trends[code]),
            better[code] + 1,
            len(rates),
        )
        for code in ordered
    ]


def page(unit: Unit, verdict: Verdict, checks: Mapping[str, CheckResult]) -> str:
    """The unit's page."""
    highest = max((failures for _, failures in unit.trend), default=1)
    bars = "".join(
        f'<span class="bar" title="release {release}: {failures}"'
        f' style="height:{4 + 40 * failures // highest}px"></span>'
        for release, failures in unit.trend
    )
    rows = "".join(_row(finding, checks) for finding in unit.findings)
    return _document(
        f"{unit.name} 数据质量报告",
        f"<p>发布 {verdict.release_id}：{len(unit.open)} 项待核对，每百份报表 {unit.rate:.1f} 项；"
        f"在 {unit.units} 个单位中列第 {unit.position} 位（并列取高）。</p><p>近期走势 {bars or '无'}</p>"
        f'<p>工作簿：<a href="{html.escape(unit.code)}.xlsx">{html.escape(unit.code)}.xlsx</a>；'
        f"退回的报表：<code>warehouse corrections --unit {html.escape(unit.code)} --out .</code></p>"
        "<table><tr><th>报表</th><th>报告期</th><th>项目</th><th>报来</th><th>预期</th><th>问题</th><th>可能原因</th>"
        f'<th class="short">由谁处理</th></tr>{rows}</table>',
    )


def index(units: Iterable[Unit], verdict: Verdict) -> str:
    """The bureau's page: what is to be mended by whom, and the league of units."""
    roles: dict[str, list[CheckResult]] = defaultdict(list)
    for result in verdict.failed:
        roles[result.owner or "engineer"].append(result)
    todo = "".join(
        f"<h2>{ROLES.get(role, role)}（{role}）</h2><table><tr><th>检查</th><th>问题</th><th>处数</th><th>新增</th>"
        "<th>查看</th></tr>" + "".join(_todo(result) for result in results) + "</table>"
        for role, results in sorted(roles.items(), key=lambda item: list(ROLES).index(item[0]))
    )
    league = "".join(
        f'<tr><td class="number">{unit.position}</td><td>{_link(unit)}</td><td class="number">{unit.reports}</td>'
        f'<td class="number">{len(unit.open)}</td><td class="number">{unit.rate:.1f}</td></tr>'
        for unit in units
    )
    return _document(
        f"数据质量报告 发布 {verdict.release_id}",
        f"<p>{_summary(verdict)}</p>{todo or '<p>没有待处理的问题。</p>'}<h2>单位排名</h2>"
        "<table><tr><th>位次</th><th>单位</th><th>报表数</th><th>待核对</th><th>每百份</th></tr>"
        f"{league}</table>",
    )


def workbook(unit: Unit, verdict: Verdict, checks: Mapping[str, CheckResult]) -> Workbook:
    """The unit's workbook: one line a finding, with a column for its answer."""
    book = Workbook()
    sheet = book.active
    sheet.title = "待核对"
    head = (
        "报表",
        "报告期",
        "项目",
        "报来",
        "预期",
        "问题",
        "可能原因",
        "新增",
        "由谁处理",
        "核对结果（请填写）",
    )
    sheet.append([f"{unit.name} 数据质量报告 发布 {verdict.release_id}"])
    sheet.append([f"在 {unit.units} 个单位中列第 {unit.position} 位，每百份报表 {unit.rate:.1f} 项"])
    sheet.append(head)
    for finding in unit.findings:
        check = checks.get(finding["check_id"])
        sheet.append(
            [
                _text(finding["form_name"] or finding["form_code"]),
                finding["period"],
                _text(_item(finding)),
                _number(finding["observed"]),
                _number(finding["expected"]),
                check.message_zh if check else finding["check_id"],
                _text(finding["cause"]),
                "是" if finding["is_new"] else "",
                ROLES.get(check.owner or "", "") if check else "",
                "",
            ]
        )
    sheet["A1"].font = Font(bold=True, size=14)
    for cell in sheet[3]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDE6F0")
    for number, width in enumerate((26, 12, 34, 14, 14, 46, 30, 6, 12, 30), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row in sheet.iter_rows(min_row=4):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A4"
    return book


def _row(finding: Mapping[str, Any], checks: Mapping[str, CheckResult]) -> str:
    check = checks.get(finding["check_id"])
    cells = [
        finding["form_name"] or finding["form_code"],
        finding["period"],
        _item(finding),
        _number(finding["observed"]),
        _number(finding["expected"]),
        (check.message_zh if check else "") + f"（{finding['check_id']}）",
        finding["cause"] if finding["waiver"] is None else f"已豁免：{finding['waiver']}",
        ROLES.get(check.owner or "", "") if check else "",
    ]
    shown = "".join(
        f"<td{_SHORT if number in _NARROW else ''}>{html.escape('' if cell is None else str(cell))}</td>"
        for number, cell in enumerate(cells)
    )
    return f'<tr class="{"new" if finding["is_new"] else ""}">{shown}</tr>'


def _summary(verdict: Verdict) -> str:
    counts = verdict.counts
    word = "已通过，可发布" if verdict.passed else "未通过，不发布"
    stops = "；".join(result.brief() for result in verdict.blocking[:3])
    return html.escape(
        f"{word}：{counts['declared']} 项检查，{counts['passed']} 项通过，{counts['not_applicable']} 项不适用，"
        f"{counts['critical']} 项严重、{counts['warning']} 项警告未通过。{stops}"
    )


def _todo(result: CheckResult) -> str:
    cells = (
        result.check_id,
        f"{result.message_zh} {result.message_en}",
        "" if result.failing_rows is None else result.failing_rows,
        "" if result.new_rows is None else result.new_rows,
    )
    shown = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
    look = f"<details><summary>SQL</summary><code>{html.escape(result.failing_query or '')}</code></details>"
    return f"<tr>{shown}<td>{look if result.failing_query else ''}</td></tr>"


def _link(unit: Unit) -> str:
    name = html.escape(f"{unit.name}（{unit.code}）")
    return f'<a href="{html.escape(unit.code)}.html">{name}</a>' if unit.findings else name


def _item(finding: Mapping[str, Any]) -> str:
    parts = (
        finding["field_name"] or finding["field_code"],
        finding["breakdown"],
        finding["indicator_code"],
        finding["slice"] if finding["slice"] != "all" else None,
    )
    return " ".join(str(part) for part in parts if part)


def _number(value: Any) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == int(value) else round(float(value), 4)


def _text(value: Any) -> str:
    # What begins like a formula is shown, not computed.
    said = "" if value is None else str(value)
    return f"'{said}" if said.startswith(("=", "+", "-", "@")) else said


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>{body}</body></html>"
    )
