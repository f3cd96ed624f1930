"""Balance rules as formulas of a spreadsheet, for those that look at one row only.

What a rule needs beyond the row (last period, the directory, other forms) is left to the intake: such a rule
has no formula. As at the intake, a blank operand makes a rule not applicable.
"""

import ast
from collections.abc import Mapping

from ingestion.expressions import ABSOLUTE
from ingestion.form import Rule

_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.LtE: "({0})-({1})<={2}",
    ast.Lt: "({0})-({1})<-{2}",
    ast.GtE: "({1})-({0})<={2}",
    ast.Gt: "({1})-({0})<-{2}",
    ast.Eq: "ABS(({0})-({1}))<={2}",
    ast.NotEq: "ABS(({0})-({1}))>{2}",
}
_LONGEST = 4000
_ROOM = f"{ABSOLUTE:.0E}"


class _Beyond(Exception):
    """The rule needs more than numbers of the same row."""


def broken_when(rule: Rule, cells: Mapping[str, str]) -> str | None:
    """Formula that is true where a row breaks the rule; None when the row alone cannot tell.

    ``cells`` gives the reference of each numeric field in the row.
    """
    if rule.check is None or rule.for_each or rule.once_per_report:
        return None
    try:
        _, fails = _sides(ast.parse(rule.check.strip(), mode="eval").body, cells)
        applies = _sides(ast.parse(rule.when.strip(), mode="eval").body, cells)[0] if rule.when else None
    except (_Beyond, SyntaxError):
        return None
    formula = f"AND({applies},{fails})" if applies else fails
    return formula if len(formula) <= _LONGEST else None


def operands(rule: Rule, cells: Mapping[str, str]) -> list[str]:
    """Fields of the row that a rule with a formula looks at, in its order."""
    sources = [source for source in (rule.check, rule.when) if source]
    names = [
        node.id
        for source in sources
        for node in ast.walk(ast.parse(source.strip(), mode="eval"))
        if isinstance(node, ast.Name) and node.id in cells
    ]
    return list(dict.fromkeys(names))


def _sides(node: ast.expr, cells: Mapping[str, str]) -> tuple[str, str]:
    """Formulas that are true where a condition is known to hold, and where it is known to fail."""
    match node:
        case ast.BoolOp(op=operator, values=values):
            sides = [_sides(value, cells) for value in values]
            holds = ",".join(side[0] for side in sides)
            fails = ",".join(side[1] for side in sides)
            both = isinstance(operator, ast.And)
            return (f"AND({holds})", f"OR({fails})") if both else (f"OR({holds})", f"AND({fails})")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            holds, fails = _sides(operand, cells)
            return fails, holds
        case ast.Compare(left=left, ops=operators, comparators=others):
            numbers = [left, *others]
            parts = [
                _compared(operator, numbers[i], numbers[i + 1], cells) for i, operator in enumerate(operators)
            ]
            if len(parts) == 1:
                return parts[0]
            return f"AND({','.join(part[0] for part in parts)})", f"OR({','.join(part[1] for part in parts)})"
    raise _Beyond


def _compared(
    operator: ast.cmpop, left: ast.expr, right: ast.expr, cells: Mapping[str, str]
) -> tuple[str, str]:
    used: list[str] = []
    sides = _formula(left, cells, used), _formula(right, cells, used)
    if type(operator) not in _COMPARISONS or not used:
        raise _Beyond
    said = _COMPARISONS[type(operator)].format(*sides, _ROOM)
    given = f"COUNT({','.join(used)})={len(used)}"
    # A division by zero, or text in place of a number, is no number: neither holds nor fails.
    return f"IFERROR(AND({given},{said}),FALSE)", f"IFERROR(AND({given},NOT({said})),FALSE)"


def _formula(node: ast.expr, cells: Mapping[str, str], used: list[str]) -> str:
    """Formula of a number; the references it needs are added to ``used``."""
    match node:
        case ast.Constant(value=bool() | str()):
            raise _Beyond
        case ast.Constant(value=int() | float() as number):
            return repr(number)
        case ast.Name(id=code) if code in cells:
            if cells[code] not in used:
                used.append(cells[code])
            return cells[code]
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC:
            sign = _ARITHMETIC[type(operator)]
            return f"({_formula(left, cells, used)}{sign}{_formula(right, cells, used)})"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{_formula(operand, cells, used)})"
        case ast.Call(func=ast.Name(id="abs"), args=[one], keywords=[]):
            return f"ABS({_formula(one, cells, used)})"
    raise _Beyond
