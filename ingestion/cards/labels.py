"""What is wrong with the labels of a table of cards, told without repeating what may be a card's first row."""

from dataclasses import replace

from ingestion.findings import Finding, Severity
from ingestion.layout import nearest_label
from ingestion.recognised import Recognised

MAX_UNKNOWN = 200
"""Unknown columns that are told one by one."""


def header(found: Recognised, sheet: str) -> list[Finding]:
    """What is wrong with the labels; unknown ones are not repeated, for they may be a card's first row."""
    form = found.form
    findings = []
    taken = found.taken
    for spot in found.unknown[:MAX_UNKNOWN]:
        near = nearest_label(spot.label, form, found.layout, taken) if spot.label else None
        zh = f"{spot.cell}这一列不是本表的项目，未读取" + (f"；是否应为“{near}”？" if near else "")
        en = f"the column at {spot.cell} is not part of the form and was not read"
        findings.append(
            _of_label("COLUMN_UNKNOWN", zh, en + (f"; is it {near!r}?" if near else ""), spot.cell)
        )
    for item in found.missing:
        zh = f"缺少必需的列“{item.name_zh}”；请按模板补上"
        findings.append(
            _of_label("COLUMN_MISSING", zh, f"the required column {item.name_zh!r} is missing", None)
        )
    for spot, codes in found.ambiguous:
        names = "或".join(f"“{form.by_code[code].name_zh}”" for code in codes if code in form.by_code)
        zh = f"{spot.cell}这一列可能是{names}，无法确定；请改用模板的表头"
        en = f"the column at {spot.cell} may be {' or '.join(codes)}; use the template's label"
        findings.append(_of_label("COLUMN_AMBIGUOUS", zh, en, spot.cell))
    for spot, code in found.twice:
        zh = f"{spot.cell}这一列与另一列是同一项目“{form.by_code[code].name_zh}”；请只保留一列"
        findings.append(
            _of_label("COLUMN_TWICE", zh, f"the column at {spot.cell} repeats {code}; keep one", spot.cell)
        )
    return [replace(finding, sheet=sheet) for finding in findings]


def _of_label(rule_id: str, zh: str, en: str, cell: str | None) -> Finding:
    severity: Severity = "soft" if rule_id == "COLUMN_UNKNOWN" else "hard"
    return Finding(rule_id, "layout", severity, zh, en, cell=cell)
