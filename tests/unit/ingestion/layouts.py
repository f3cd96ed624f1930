"""Reports written in every layout that a unit may use, for tests that read them back."""

from collections.abc import Sequence
from typing import Any

from ingestion.form import Form

Grid = list[list[object]]
Reports = list[dict[str, Any]]


def label(form: Form, code: str) -> str:
    """The printed label of a field, under its heading where it has one."""
    return form.by_code[code].name_zh


def unit(form: Form, code: str) -> str | None:
    """The unit of measure that the form prints."""
    return form.by_code[code].source_unit or form.by_code[code].unit


def table(form: Form, reports: Reports, codes: Sequence[str]) -> Grid:
    """A row per report, between a title, a numbering row, a total and a signature."""
    numbering: list[object] = ["甲", "乙", *range(1, len(codes) - 1)]
    total: list[object] = ["合计", None, *(0 for _ in codes[2:])]
    return [
        [form.name_zh],
        ["制定机关：国家卫生健康委", None, "有效期至：2030年12月"],
        [label(form, code) for code in codes],
        numbering,
        *([report.get(code) for code in codes] for report in reports),
        total,
        ["单位负责人：甲", None, "填表人：乙", "报出日期：2016年1月5日"],
    ]


def transposed(form: Form, reports: Reports, codes: Sequence[str]) -> Grid:
    """A row per field, with numbering and units of measure before the columns of the reports."""
    rows: Grid = [[form.name_zh], ["指标", "计量单位", "序号", *(None for _ in reports)]]
    for number, code in enumerate(codes, start=1):
        rows.append(
            [label(form, code), unit(form, code) or "-", number, *(report.get(code) for report in reports)]
        )
    return [*rows, ["审核人：丙"]]


def sheet(form: Form, report: dict[str, Any], codes: Sequence[str]) -> Grid:
    """One report: who and when in lines of the title, then two labelled values a row, some labels indented."""
    identities = [code for code in codes if form.by_code[code].role == "identity"]
    others = [code for code in codes if code not in identities]
    rows: Grid = [[form.name_zh]]
    rows += [[f"{label(form, code)}：{report[code]}"] for code in identities if report.get(code) is not None]
    rows.append(["项目", "数值", "项目", "数值"])
    for first, second in zip(others[::2], [*others[1::2], None][: len(others[::2])], strict=True):
        row: list[object] = [f"　　{label(form, first)}", report.get(first)]
        if second is not None:
            row += [label(form, second), report.get(second)]
        rows.append(row)
    return [*rows, ["填表人：乙", None, "单位负责人（签章）：甲"]]


def long(form: Form, reports: Reports, codes: Sequence[str]) -> Grid:
    """A row per report and field, with a column of labels and one of values."""
    identities = [code for code in codes if form.by_code[code].role in ("identity", "breakdown")]
    others = [code for code in codes if code not in identities]
    rows: Grid = [
        [form.name_zh],
        [*(label(form, code) for code in identities), "指标名称", "计量单位", "数值"],
    ]
    for report in reports:
        for code in others:
            who = [report.get(code) for code in identities]
            rows.append([*who, label(form, code), unit(form, code), report.get(code)])
    return rows
