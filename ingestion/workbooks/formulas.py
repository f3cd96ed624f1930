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


class _Beyond(Exception):
    """The rule needs more than numbers of the same row."""


def broken_when(rule: Rule, cells: Mapping[str, str]) -> str | None:
    """Formula that is true where a row breaks the rule; None when the row alone cannot tell.

    ``cells`` gives the reference of each numeric field in the row.
    """
    if rule.check is None or rule.for_each or rule.once_per_report:
        return None
    used: list[str] = []
    try:
        holds = _formula(ast.parse(rule.check.strip(), mode="eval").body, cells, used)
        when = _formula(ast.parse(rule.when.strip(), mode="eval").body, cells, used) if rule.when else None
    except (_Beyond, SyntaxError):
        return None
    if not used:
        return None
    conditions = [f"COUNT({','.join(used)})={len(used)}", *([when] if when else []), f"NOT({holds})"]
    # A division by zero is no number, hence not applicable.
    formula = f"IFERROR(AND({','.join(conditions)}),FALSE)"
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


def _formula(node: ast.expr, cells: Mapping[str, str], used: list[str]) -> str:  # noqa: PLR0911 - one line a kind
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
        case ast.BoolOp(op=operator, values=values):
            word = "AND" if isinstance(operator, ast.And) else "OR"
            return f"{word}({','.join(_formula(value, cells, used) for value in values)})"
        case ast.Call(func=ast.Name(id="abs"), args=[one], keywords=[]):
            return f"ABS({_formula(one, cells, used)})"
        case ast.Compare(left=left, ops=operators, comparators=others):
            sides = [_formula(side, cells, used) for side in (left, *others)]
            parts = [
                _COMPARISONS[type(operator)].format(sides[i], sides[i + 1], ABSOLUTE)
                for i, operator in enumerate(operators)
                if type(operator) in _COMPARISONS
            ]
            if len(parts) < len(operators):
                raise _Beyond
            return parts[0] if len(parts) == 1 else f"AND({','.join(parts)})"
    raise _Beyond
