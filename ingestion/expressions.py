"""The language of balance rules: a few words of Python's grammar, compiled to Polars.

An expression is parsed, never evaluated as Python. What is blank makes a comparison unknown, and a
rule that is unknown is not applicable: it neither holds nor fails. ``and`` and ``or`` follow the
logic of three values, so that one part that is known to fail makes a chain of ``and`` fail.

Words: field codes; numbers; ``+ - * /``; comparisons, also chained; ``and or not``; ``abs``, ``min``,
``max``; ``days_in_period()``, ``month()``; ``is_empty(field, …)``; ``if_given(field)`` (blank counts
as nothing in a sum); ``previous(field)``; ``unit.<attribute>``; ``yearly_sum('form.field')``;
``sum_over(field, 'code', …)`` (over the members of the report's breakdown).
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from ingestion.errors import ExpressionError

# Room for the rounding of binary fractions: far below any unit that a form counts in.
ABSOLUTE, RELATIVE = 1e-9, 1e-13

_ARITHMETIC: dict[type[ast.operator], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    # Dividing by zero is no number, hence unknown.
    ast.Div: lambda a, b: a / pl.when(b != 0).then(b),
}


@dataclass
class Expression:
    """A compiled rule and the names it needs as columns.

    Columns: a field's code; ``previous.<field>``; ``unit.<attribute>``; ``yearly.<form>.<field>``;
    ``period.days``; ``period.month``; ``report.occurrence`` for sums over members.
    """

    source: str
    polars: pl.Expr = field(default_factory=lambda: pl.lit(None))
    fields: list[str] = field(default_factory=list)
    previous: list[str] = field(default_factory=list)
    unit: list[str] = field(default_factory=list)
    yearly: list[str] = field(default_factory=list)


def compile_expression(source: str, types: Mapping[str, str], *, value: str | None = None) -> Expression:
    """Compile a rule's expression over the fields (code to type) of a form.

    ``value`` is the field that the word ``value`` stands for in rules that go over several fields.
    """
    result = Expression(source)
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"{source!r} is no expression: {error.msg}.", expression=source) from error
    result.polars = _Compiler(result, types, value).visit(tree.body)
    return result


class _Compiler:
    def __init__(self, result: Expression, types: Mapping[str, str], value: str | None) -> None:
        self.result = result
        self.types = types
        self.value = value

    def fail(self, what: str) -> ExpressionError:
        return ExpressionError(f"{what} in {self.result.source!r}.", expression=self.result.source)

    def visit(self, node: ast.expr) -> pl.Expr:
        method = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.fail(f"{type(node).__name__} is not allowed")
        result: pl.Expr = method(node)
        return result

    def on_constant(self, node: ast.Constant) -> pl.Expr:
        if isinstance(node.value, bool | int | float | str):
            return pl.lit(node.value)
        raise self.fail(f"{node.value!r} is not allowed")

    def on_name(self, node: ast.Name) -> pl.Expr:
        code = self.field_code(node)
        _remember(self.result.fields, code)
        return pl.col(code)

    def on_attribute(self, node: ast.Attribute) -> pl.Expr:
        if not (isinstance(node.value, ast.Name) and node.value.id == "unit"):
            raise self.fail("only unit.<attribute> may have a dot")
        _remember(self.result.unit, node.attr)
        return pl.col(f"unit.{node.attr}")

    def on_binop(self, node: ast.BinOp) -> pl.Expr:
        operator = _ARITHMETIC.get(type(node.op))
        if operator is None:
            raise self.fail(f"the operator {type(node.op).__name__} is not allowed")
        return operator(self.visit(node.left), self.visit(node.right))

    def on_unaryop(self, node: ast.UnaryOp) -> pl.Expr:
        if isinstance(node.op, ast.Not):
            return self.visit(node.operand).not_()
        if isinstance(node.op, ast.USub):
            return pl.lit(0) - self.visit(node.operand)
        raise self.fail(f"the operator {type(node.op).__name__} is not allowed")

    def on_boolop(self, node: ast.BoolOp) -> pl.Expr:
        result, *others = [self.visit(value) for value in node.values]
        for other in others:
            result = result & other if isinstance(node.op, ast.And) else result | other
        return result

    def on_compare(self, node: ast.Compare) -> pl.Expr:
        nodes = [node.left, *node.comparators]
        sides = [self.visit(side) for side in nodes]
        result: pl.Expr | None = None
        for index, operator in enumerate(node.ops):
            text = self.is_text(nodes[index]) or self.is_text(nodes[index + 1])
            part = self.comparison(operator, sides[index], sides[index + 1], text=text)
            result = part if result is None else result & part
        assert result is not None  # noqa: S101 - the grammar has no comparison without operators
        return result

    def comparison(self, operator: ast.cmpop, left: pl.Expr, right: pl.Expr, *, text: bool) -> pl.Expr:
        if text:
            if isinstance(operator, ast.Eq):
                return left == right
            if isinstance(operator, ast.NotEq):
                return left != right
            raise self.fail("texts can only be compared by == and !=")
        room = ABSOLUTE + RELATIVE * (left.abs() + right.abs())
        difference = left - right
        comparisons: dict[type[ast.cmpop], pl.Expr] = {
            ast.LtE: difference <= room,
            ast.Lt: difference < -room,
            ast.GtE: difference >= -room,
            ast.Gt: difference > room,
            ast.Eq: difference.abs() <= room,
            ast.NotEq: difference.abs() > room,
        }
        if type(operator) not in comparisons:
            raise self.fail(f"the comparison {type(operator).__name__} is not allowed")
        return comparisons[type(operator)]

    def is_text(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str)
        if isinstance(node, ast.Name):
            return self.types.get(self.value if node.id == "value" and self.value else node.id) in (
                "text",
                "code",
            )
        if isinstance(node, ast.Attribute):
            return node.attr.endswith("_code")
        return isinstance(node, ast.Call) and any(self.is_text(argument) for argument in node.args[:1])

    def on_call(self, node: ast.Call) -> pl.Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        method = getattr(self, f"call_{name}", None)
        if method is None or node.keywords:
            raise self.fail(f"there is no function {ast.unparse(node.func)}")
        result: pl.Expr = method(node.args)
        return result

    def call_abs(self, arguments: list[ast.expr]) -> pl.Expr:
        (one,) = self.exactly(arguments, 1)
        return self.visit(one).abs()

    def call_min(self, arguments: list[ast.expr]) -> pl.Expr:
        return self.extreme(arguments, pl.min_horizontal)

    def call_max(self, arguments: list[ast.expr]) -> pl.Expr:
        return self.extreme(arguments, pl.max_horizontal)

    def extreme(self, arguments: list[ast.expr], function: Callable[..., pl.Expr]) -> pl.Expr:
        if not arguments:
            raise self.fail("min and max need operands")
        values = [self.visit(argument) for argument in arguments]
        known = pl.all_horizontal([value.is_not_null() for value in values])
        return pl.when(known).then(function(*values))

    def call_days_in_period(self, arguments: list[ast.expr]) -> pl.Expr:
        self.exactly(arguments, 0)
        return pl.col("period.days")

    def call_month(self, arguments: list[ast.expr]) -> pl.Expr:
        self.exactly(arguments, 0)
        return pl.col("period.month")

    def call_is_empty(self, arguments: list[ast.expr]) -> pl.Expr:
        if not arguments:
            raise self.fail("is_empty needs fields")
        return pl.all_horizontal([self.visit(argument).is_null() for argument in arguments])

    def call_if_given(self, arguments: list[ast.expr]) -> pl.Expr:
        (one,) = self.exactly(arguments, 1)
        return self.visit(one).fill_null(0)

    def call_previous(self, arguments: list[ast.expr]) -> pl.Expr:
        (one,) = self.exactly(arguments, 1)
        code = self.field_code(one)
        _remember(self.result.previous, code)
        return pl.col(f"previous.{code}")

    def call_yearly_sum(self, arguments: list[ast.expr]) -> pl.Expr:
        (one,) = self.exactly(arguments, 1)
        if not (isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.count(".") == 1):
            raise self.fail("yearly_sum needs 'form.field'")
        form, code = one.value.split(".")
        if code == "value" and self.value:
            code = self.value
        _remember(self.result.yearly, f"{form}.{code}")
        return pl.col(f"yearly.{form}.{code}")

    def call_sum_over(self, arguments: list[ast.expr]) -> pl.Expr:
        if not arguments:
            raise self.fail("sum_over needs a field")
        value = self.visit(arguments[0])
        members = [a.value for a in arguments[1:] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if len(members) != len(arguments) - 1:
            raise self.fail("the members in sum_over are quoted codes")
        if members:
            value = pl.when(pl.col("report.member").is_in(members)).then(value)
        occurrence = ["report_no", "report.occurrence"]
        given = value.count().over(occurrence) > 0
        return pl.when(given).then(value.sum().over(occurrence))

    def exactly(self, arguments: list[ast.expr], count: int) -> list[ast.expr]:
        if len(arguments) != count:
            raise self.fail(f"a function has {len(arguments)} instead of {count} operands")
        return arguments

    def field_code(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            raise self.fail("a field code is expected")
        code = self.value if node.id == "value" and self.value else node.id
        if code not in self.types:
            raise self.fail(f"the form has no field {code}")
        return code


def _remember(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
