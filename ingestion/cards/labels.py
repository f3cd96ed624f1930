"""What is wrong with the labels of a table of cards, told without repeating what may be a card's first row."""

from dataclasses import replace

from ingestion.findings import Finding, Severity, cell_name
from ingestion.layout import nearest_label
from ingestion.readers.table import Table
from ingestion.recognised import Recognised
from ingestion.written_units import differing

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
    findings += [_of_label("UNIT_DIFFERS", one.zh, one.en, one.cell) for one in differing(found)]
    return [replace(finding, sheet=sheet) for finding in findings]


def rows_above(found: Recognised, table: Table) -> list[Finding]:
    """Rows above the labels that are no titles: cards in the wrong place, or another table; none of them is read."""
    first = min((column.row for column in found.fields), default=0)
    least = max(4, len(found.fields) // 2)
    rows = [
        number + 1
        for number, cells in enumerate(table.top[:first])
        if number >= found.first_row
        and sum(cell is not None and str(cell).strip() != "" for cell in cells) >= least
    ]
    if not rows:
        return []
    named = "、".join(map(str, rows))
    return [
        Finding(
            rule_id="ROW_ABOVE_LABELS",
            level="layout",
            severity="soft",
            message_zh=f"表头上方的第{named}行填有内容，未读取；如是数据请移到表头下面，如是另一张表请单独报送",
            message_en=f"rows {', '.join(map(str, rows))} stand above the labels and were not read;"
            " move them below, or send another table by itself",
            sheet=table.sheet,
            cell=cell_name(rows[0], 1),
        )
    ]


def _of_label(rule_id: str, zh: str, en: str, cell: str | None) -> Finding:
    severity: Severity = "soft" if rule_id == "COLUMN_UNKNOWN" else "hard"
    return Finding(rule_id, "layout", severity, zh, en, cell=cell)
