"""Kinds of expectations that a check may declare, and the SQL that shows the rows each one fails on.

``type`` is the class name of a Great Expectations class: one of its own, or one of
:mod:`expectations.custom`. Kinds that look at rows one by one are answered by one scan of the table,
however many there are; a query costs its own.
"""

# The SQL made here is that of our own catalogue, read from files under review.
# ruff: noqa: S608

import re
from abc import abstractmethod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from expectations.scope import SCHEMA

Column = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]
Condition = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Kind(BaseModel):
    """What every kind can tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def failing_rows(self, table: str) -> str:
        """SQL whose rows are those that fail."""

    @abstractmethod
    def expected(self) -> str:
        """What should hold, in one line."""

    def arguments(self) -> dict[str, Any]:
        """Arguments of the Great Expectations class."""
        return {name: value for name, value in self if name != "type" and value is not None}

    @property
    def shows_own_columns(self) -> bool:
        """Whether the failing rows come with columns chosen by the check's author."""
        return False

    @property
    def looks_at_rows(self) -> bool:
        """Whether it has nothing to ask of a table without rows."""
        return True


class NotNull(Kind):
    """Every row has a value."""

    type: Literal["ExpectColumnValuesToNotBeNull"]
    column: Column

    def failing_rows(self, table: str) -> str:
        """Rows without a value."""
        return f"select * from {table} where {self.column} is null"

    def expected(self) -> str:
        """What should hold."""
        return f"{self.column} is not null"


class InSet(Kind):
    """Every value is one of a list; null is not looked at."""

    type: Literal["ExpectColumnValuesToBeInSet"]
    column: Column
    value_set: list[str | int] = Field(min_length=1)

    def failing_rows(self, table: str) -> str:
        """Rows with another value."""
        return (
            f"select * from {table} where {self.column} not in ({', '.join(map(_literal, self.value_set))})"
        )

    def expected(self) -> str:
        """What should hold."""
        return f"{self.column} in ({', '.join(map(str, self.value_set))})"


class Between(Kind):
    """Every value lies between two bounds; null is not looked at."""

    type: Literal["ExpectColumnValuesToBeBetween"]
    column: Column
    min_value: int | float | None = None
    max_value: int | float | None = None

    def failing_rows(self, table: str) -> str:
        """Rows outside the bounds."""
        bounds = [
            f"{self.column} {sign} {bound}"
            for sign, bound in (("<", self.min_value), (">", self.max_value))
            if bound is not None
        ]
        return f"select * from {table} where {' or '.join(bounds) or 'false'}"

    def expected(self) -> str:
        """What should hold."""
        low = "" if self.min_value is None else f"{self.min_value} <= "
        high = "" if self.max_value is None else f" <= {self.max_value}"
        return f"{low}{self.column}{high}"


class Matches(Kind):
    """Every value matches a regular expression; null is not looked at."""

    type: Literal["ExpectColumnValuesToMatchRegex"]
    column: Column
    regex: str

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        re.compile(value)
        return value

    def failing_rows(self, table: str) -> str:
        """Rows that do not match."""
        return f"select * from {table} where {self.column} !~ {_literal(self.regex)}"

    def expected(self) -> str:
        """What should hold."""
        return f"{self.column} matches {self.regex}"


class NoRowsWhere(Kind):
    """No row of the table meets a condition."""

    type: Literal["ExpectNoRowsWhere"]
    condition: Condition

    def failing_rows(self, table: str) -> str:
        """Rows that meet it."""
        return f"select * from {table} where {one_line(self.condition)}"

    def expected(self) -> str:
        """What should hold."""
        return f"no row where {one_line(self.condition)}"


class KeyUnique(Kind):
    """No two rows share a key; nulls count as equal."""

    type: Literal["ExpectKeyToBeUnique"]
    columns: list[Column] = Field(min_length=1)

    def failing_rows(self, table: str) -> str:
        """Keys that stand in more than one row."""
        key = ", ".join(self.columns)
        return f"select {key}, count(*) as row_count from {table} group by {key} having count(*) > 1"

    def expected(self) -> str:
        """What should hold."""
        return f"one row per {', '.join(self.columns)}"

    @property
    def shows_own_columns(self) -> bool:
        """The key itself."""
        return True


class NoRowsFromQuery(Kind):
    """A query returns nothing. Its columns are shown to people, so it must name them.

    ``$changed(report_id)`` stands for: the candidate rebuilt this report, and ``$changed_period(table)`` for: it
    rebuilt this period of the table (or the gate looks at everything).
    """

    type: Literal["ExpectNoRowsFromQuery"]
    query: Condition

    @field_validator("query")
    @classmethod
    def _one_select(cls, value: str) -> str:
        if not re.match(r"(select|with)\b", value):
            raise ValueError("must begin with select or with")
        if ";" in value:
            raise ValueError("must be one statement without a semicolon")
        if re.match(r"select\s+(\w+\.)?\*", value):
            raise ValueError("must name the columns it shows; * could show personal values")
        return value

    def failing_rows(self, table: str) -> str:
        """The query."""
        return one_line(self.query)

    def expected(self) -> str:
        """What should hold."""
        return "the query returns no row"

    @property
    def looks_at_rows(self) -> bool:
        """It asks of other tables, too."""
        return False

    @property
    def shows_own_columns(self) -> bool:
        """The query names them."""
        return True


class RowsWhen(Kind):
    """The table has rows whenever a condition holds."""

    type: Literal["ExpectRowsWhen"]
    table: Column
    condition: Condition

    def failing_rows(self, table: str) -> str:
        """One row when the table is empty although it must not be; always of the whole table."""
        rows = f"exists (select from {SCHEMA}.{self.table})"
        return f"select 1 as empty where ({one_line(self.condition)}) and not {rows}"

    def expected(self) -> str:
        """What should hold."""
        return f"has rows when {one_line(self.condition)}"

    @property
    def shows_own_columns(self) -> bool:
        """There is no row to show."""
        return True


class NoFindings(Kind):
    """A probe left no finding of the check above its threshold."""

    type: Literal[
        "ExpectNoFindings",
        "ExpectParentBetweenParts",
        "ExpectSumOfParts",
        "ExpectWholeNumerator",
        "ExpectOneDenominator",
        "ExpectSourcesToAgree",
        "ExpectShareAtPrintedPrecision",
        "ExpectBreakdownToBeComplete",
        "ExpectUnitAndScope",
        "ExpectAttainableTarget",
        "ExpectNumeratorWithinDenominator",
    ]
    check_id: str

    def failing_rows(self, table: str) -> str:
        """Its findings that fail."""
        return (
            f"select * from {table} where check_id = {_literal(self.check_id)}"
            " and score > threshold and waiver is null"
        )

    def expected(self) -> str:
        """What should hold."""
        return "no finding above the threshold"


AnyKind = Annotated[
    NotNull | InSet | Between | Matches | NoRowsWhere | KeyUnique | NoRowsFromQuery | RowsWhen | NoFindings,
    Field(discriminator="type"),
]


def one_line(sql: str) -> str:
    """The statement without line breaks and comments."""
    return " ".join(" ".join(line.split("--")[0] for line in sql.splitlines()).split())


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
