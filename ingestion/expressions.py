"""The language of balance rules: a few words of Python's grammar, compiled to Polars.

An expression is parsed, never evaluated as Python. What is blank makes a comparison unknown, and a
rule that is unknown is not applicable: it neither holds nor fails. ``and`` and ``or`` follow the
logic of three values, so that one part that is known to fail makes a chain of ``and`` fail.

Words: field codes; numbers; 'texts'; ``+ - * /``; comparisons, also chained, of numbers, of dates (a date
may be written '2015-10-01'), and by == and != of texts and flags; ``and or not``; ``unit.<attribute>``; and
the functions of ``expression_words``. In a rule that goes ``for_each`` field, ``value`` is that field, and
behind a repeated one (``operation_code_3``) a name that ends in ``_n`` is its neighbour of the same number.
"""

import ast
import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from ingestion.errors import ExpressionError
from ingestion.expression_words import KIND_OF_FIRST, KINDS, WHOLE, WORDS, Kind

# Room for the rounding of binary fractions: far below any unit that a form counts in.
ABSOLUTE, RELATIVE = 1e-9, 1e-13

_KIND_OF_TYPE: dict[str, Kind] = {
    "int": "number",
    "dec": "number",
    "text": "text",
    "code": "text",
    "date": "date",
    "datetime": "date",
    "flag": "flag",
}

_KIND_OF_CONSTANT: dict[type, Kind] = {bool: "flag", str: "text"}

_ARITHMETIC: dict[type[ast.operator], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    # Dividing by zero is no number, hence unknown.
    ast.Div: lambda a, b: a / pl.when(b != 0).then(b),
}

_PLAIN: dict[type[ast.cmpop], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}

_NUMBERED = re.compile(r"_(\d+)$")


@dataclass
class Expression:
    """A compiled rule and the names it needs as columns.

    Columns: a field's code; ``previous.<field>``; ``unit.<attribute>``; ``yearly.<form>.<field>``;
    ``same.<form>.<field>``; ``active.<class>``; ``valid.<field>.<date field>``; ``period.days``,
    ``period.month``, ``period_start``, ``period_end``; ``report.occurrence`` for sums over members;
    ``report.group`` for counting reports. ``summed`` are fields named through ``total_of``; ``computed`` are
    the counts, shares and sums that a message tells.
    """

    source: str
    polars: pl.Expr = field(default_factory=lambda: pl.lit(None))
    fields: list[str] = field(default_factory=list)
    previous: list[str] = field(default_factory=list)
    unit: list[str] = field(default_factory=list)
    yearly: list[str] = field(default_factory=list)
    same_period: list[str] = field(default_factory=list)
    active_units: list[str] = field(default_factory=list)
    code_valid: list[tuple[str, str]] = field(default_factory=list)
    summed: list[str] = field(default_factory=list)
    computed: dict[str, pl.Expr] = field(default_factory=dict)


def compile_expression(source: str, types: Mapping[str, str], *, value: str | None = None) -> Expression:
    """Compile a rule's expression over the fields (code to type) of a form.

    ``value`` is the field that the word ``value`` stands for in rules that go over several fields.
    """
    result = Expression(source)
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"{source!r} is no expression: {error.msg}.", expression=source) from error
    result.polars = Compiler(result, types, value).visit(tree.body)
    return result


class Compiler:
    """Turns the tree of one expression into Polars and notes what it names."""

    def __init__(self, result: Expression, types: Mapping[str, str], value: str | None) -> None:
        self.result = result
        self.types = types
        self.value = value

    def fail(self, what: str) -> ExpressionError:
        """An error that quotes the expression."""
        return ExpressionError(f"{what} in {self.result.source!r}.", expression=self.result.source)

    def visit(self, node: ast.expr) -> pl.Expr:
        """Polars of a node."""
        method = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.fail(f"{type(node).__name__} is not allowed")
        result: pl.Expr = method(node)
        return result

    def on_constant(self, node: ast.Constant) -> pl.Expr:
        """A number, text or flag."""
        if isinstance(node.value, bool | int | float | str):
            return pl.lit(node.value)
        raise self.fail(f"{node.value!r} is not allowed")

    def on_name(self, node: ast.Name) -> pl.Expr:
        """A field."""
        code = self.field_code(node)
        if code not in self.result.fields:
            self.result.fields.append(code)
        return pl.col(code)

    def on_attribute(self, node: ast.Attribute) -> pl.Expr:
        """An attribute of the unit."""
        if not (isinstance(node.value, ast.Name) and node.value.id == "unit"):
            raise self.fail("only unit.<attribute> may have a dot")
        if node.attr not in self.result.unit:
            self.result.unit.append(node.attr)
        return pl.col(f"unit.{node.attr}")

    def on_binop(self, node: ast.BinOp) -> pl.Expr:
        """Arithmetic."""
        operator = _ARITHMETIC.get(type(node.op))
        if operator is None:
            raise self.fail(f"the operator {type(node.op).__name__} is not allowed")
        return operator(self.visit(node.left), self.visit(node.right))

    def on_unaryop(self, node: ast.UnaryOp) -> pl.Expr:
        """``not`` and the minus sign."""
        if isinstance(node.op, ast.Not):
            return self.visit(node.operand).not_()
        if isinstance(node.op, ast.USub):
            return pl.lit(0) - self.visit(node.operand)
        raise self.fail(f"the operator {type(node.op).__name__} is not allowed")

    def on_boolop(self, node: ast.BoolOp) -> pl.Expr:
        """``and`` and ``or``."""
        result, *others = [self.visit(value) for value in node.values]
        for other in others:
            result = result & other if isinstance(node.op, ast.And) else result | other
        return result

    def on_compare(self, node: ast.Compare) -> pl.Expr:
        """A chain of comparisons."""
        nodes = [node.left, *node.comparators]
        result: pl.Expr | None = None
        for index, operator in enumerate(node.ops):
            part = self.comparison(operator, nodes[index], nodes[index + 1])
            result = part if result is None else result & part
        assert result is not None  # noqa: S101 - the grammar has no comparison without operators
        return result

    def comparison(self, operator: ast.cmpop, left_node: ast.expr, right_node: ast.expr) -> pl.Expr:
        """One comparison, by what its sides are."""
        if type(operator) not in _PLAIN:
            raise self.fail(f"the comparison {type(operator).__name__} is not allowed")
        plain = _PLAIN[type(operator)]
        kinds = {self.kind(left_node), self.kind(right_node)}
        if "date" in kinds:
            return plain(self.moment(left_node), self.moment(right_node))
        left, right = self.visit(left_node), self.visit(right_node)
        if kinds & {"text", "flag"}:
            if len(kinds - {"any"}) > 1:
                raise self.fail(f"{' and '.join(sorted(kinds))} cannot be compared")
            if not isinstance(operator, ast.Eq | ast.NotEq):
                raise self.fail("texts and flags can only be compared by == and !=")
            return plain(left, right)
        if self.is_whole(left_node) and self.is_whole(right_node):
            return plain(left, right)
        room: pl.Expr | float = ABSOLUTE + RELATIVE * (left.abs() + right.abs())
        if isinstance(right_node, ast.Constant):
            # Where it matters both sides are as large as the one that is known.
            room = ABSOLUTE + 2 * RELATIVE * abs(float(right_node.value))  # type: ignore[arg-type]
        difference = left - right
        comparisons: dict[type[ast.cmpop], pl.Expr] = {
            ast.LtE: difference <= room,
            ast.Lt: difference < -room,
            ast.GtE: difference >= -room,
            ast.Gt: difference > room,
            ast.Eq: difference.abs() <= room,
            ast.NotEq: difference.abs() > room,
        }
        return comparisons[type(operator)]

    def kind(self, node: ast.expr) -> Kind:
        """What a node is, as far as the expression alone tells."""
        result: Kind = "flag" if isinstance(node, ast.BoolOp | ast.Compare) else "number"
        if isinstance(node, ast.Constant):
            result = _KIND_OF_CONSTANT.get(type(node.value), "number")
        elif isinstance(node, ast.Name):
            result = _KIND_OF_TYPE.get(self.types.get(self.resolved(node.id), ""), "any")
        elif isinstance(node, ast.Attribute):
            result = "text" if node.attr.endswith("_code") else "any"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            inner = node.func.id in KIND_OF_FIRST and node.args
            result = self.kind(node.args[0]) if inner else KINDS.get(node.func.id, "number")
        return result

    def is_whole(self, node: ast.expr) -> bool:
        """Whether a node is a whole number that no rounding has touched."""
        if isinstance(node, ast.Constant):
            return type(node.value) is int
        if isinstance(node, ast.Name):
            return self.types.get(self.resolved(node.id)) == "int"
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WHOLE

    def day(self, node: ast.expr) -> pl.Expr:
        """A date; of a point in time its day."""
        if isinstance(node, ast.Name) and self.types.get(self.resolved(node.id)) == "date":
            return self.visit(node)
        return self.moment(node).cast(pl.Date)

    def moment(self, node: ast.expr) -> pl.Expr:
        """A date or a point in time; a bare date is its midnight."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                return pl.lit(dt.date.fromisoformat(node.value)).cast(pl.Datetime("us"))
            except ValueError as error:
                raise self.fail(f"{node.value!r} is no date (2015-10-01)") from error
        if self.kind(node) != "date":
            raise self.fail(f"{ast.unparse(node)} is no date")
        return self.visit(node).cast(pl.Datetime("us"))

    def on_call(self, node: ast.Call) -> pl.Expr:
        """A function."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        word = WORDS.get(name)
        if word is None or node.keywords:
            raise self.fail(f"there is no function {ast.unparse(node.func)}")
        return word(self, node.args)

    def exactly(self, arguments: list[ast.expr], count: int) -> list[ast.expr]:
        """The operands, if they are as many as expected."""
        if len(arguments) != count:
            raise self.fail(f"a function has {len(arguments)} instead of {count} operands")
        return arguments

    def texts(self, arguments: list[ast.expr], what: str) -> list[str]:
        """Quoted operands, at least one."""
        found = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if not found or len(found) != len(arguments):
            raise self.fail(what)
        return found

    def elsewhere(self, arguments: list[ast.expr], word: str) -> tuple[str, str]:
        """Form and field written 'form.field'; the field ``value`` is the one of for_each."""
        (name,) = self.texts(self.exactly(arguments, 1), f"{word} needs 'form.field'")
        if name.count(".") != 1:
            raise self.fail(f"{word} needs 'form.field'")
        form, code = name.split(".")
        return form, self.value if code == "value" and self.value else code

    def resolved(self, name: str) -> str:
        """The field that a name means in a rule for one field after another."""
        if self.value is None or name in self.types:
            return name
        if name == "value":
            return self.value
        number = _NUMBERED.search(self.value)
        return f"{name[:-2]}_{number[1]}" if number and name.endswith("_n") else name

    def field_code(self, node: ast.expr) -> str:
        """Code of a field that the form has."""
        if not isinstance(node, ast.Name):
            raise self.fail("a field code is expected")
        code = self.resolved(node.id)
        if code not in self.types:
            raise self.fail(f"the form has no field {code}")
        return code
