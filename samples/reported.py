"""What reports say of each figure that the plans of Nantong 2015 and Hai'an 2024 print, and what no report says.

Both plans print targets and no result: nothing is to be reproduced, and a figure is measured when a form carries it.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_SEEDS = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds"

LEFT: dict[tuple[str, int], str] = {
    ("nantong_2015", 7): "没有数值；只有医院年报提供，样例没有这两年的医院年报",
    ("nantong_2015", 8): "没有数值；只有医院年报提供，样例没有这两年的医院年报",
    ("nantong_2015", 9): "没有数值；只有中医医院年报提供，样例没有这两年的医院年报",
    ("nantong_2015", 16): "没有数值；须有两年的住院病案首页，样例没有",
    ("nantong_2015", 17): "没有数值：“全面推进”，任何报表都不能判定是否达到",
    ("nantong_2015", 51): "没有数值：“平衡”；出生性别比本身由妇幼年报得出",
    ("nantong_2015", 80): "没有数值；只有年报的人员经费提供，样例没有这两年的年报",
}
"""Targets that stay without a verdict: why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the reports say of a figure: the number, out of how many, and how the target stands."""

    numerator: str
    denominator: str
    status: str


@dataclass(frozen=True, slots=True)
class Printed:
    """A figure as the plan prints it, with the forms that carry it."""

    number: int
    name: str
    target: str
    forms: tuple[str, ...]
    is_target: bool


@lru_cache(maxsize=4)
def printed(plan: str) -> tuple[Printed, ...]:
    """All figures of a plan, in its order."""
    names = {row["indicator_code"]: row for row in _seed("indicator.csv")}
    forms: dict[str, set[str]] = {}
    for row in _seed("indicator_part.csv"):
        if row["period_type"] in ("year", "mch_year"):
            forms.setdefault(row["indicator_code"], set()).add(row["form_code"])
    found = []
    for row in _seed("plan_figure.csv"):
        if row["plan_code"] != plan:
            continue
        indicator = names[row["indicator_code"]]
        found.append(
            Printed(
                int(row["figure_no"]),
                indicator["name_zh"],
                _target(row, indicator["unit"]),
                tuple(sorted(forms.get(row["indicator_code"], set()))),
                row["kind"] == "target",
            )
        )
    return tuple(found)


def told(plan: str) -> dict[int, Told]:
    """What the reports say of each target, by its number in the plan."""
    with Path(__file__).with_name("reported.csv").open(encoding="utf-8", newline="") as file:
        return {
            int(row["figure_no"]): Told(row["numerator"], row["denominator"], row["status"])
            for row in csv.DictReader(file)
            if row["plan_code"] == plan
        }


def page(plan: str) -> str:
    """The table of a plan's figures."""
    numbers = told(plan)
    lines = [
        "| no. | figure | printed | reported | status | forms, or why not |",
        "|---:|---|---|---:|---|---|",
    ]
    for figure in printed(plan):
        said = numbers.get(figure.number)
        reported = ""
        if said is not None and said.numerator:
            reported = f"{float(said.numerator):,.10g}"
            reported += f" ÷ {float(said.denominator):,.10g}" if said.denominator else ""
        left = LEFT.get((plan, figure.number))
        reason = left or ("、".join(f"`{form}`" for form in figure.forms))
        status = (said.status if said else "") if figure.is_target else "only mentioned"
        cells = (str(figure.number), figure.name, figure.target, reported, status.replace("_", " "), reason)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _target(row: dict[str, str], unit: str) -> str:
    words = {"increase": "上升", "decrease": "下降", "about": "约", "=": "", "text": row["value_text"]}
    if row["operator"] == "increase_by":
        return f"比上年 +{row['value']}" + (f" 至 +{row['value_high']}" if row["value_high"] else "")
    sign = words.get(row["operator"], {">=": "≥", "<=": "≤"}.get(row["operator"], row["operator"]))
    number = f" {row['value']} {unit}" if row["value"] else ""
    return f"{sign}{number}".strip()


def _seed(name: str) -> list[dict[str, str]]:
    with (_SEEDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
