"""Known failures of the gate: who answers for them, why, until when.

A waiver names a check and may narrow it to a unit, a form, an indicator, periods or a key. What it covers neither
fails the check nor raises an alarm; anything else that the check finds does, and so does the same once the waiver has
expired. They stand in ``gate_waivers.yml`` of the site folder, and for what published plans print in
``expectations/waivers.yml``.
"""

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from expectations.declarations import read
from expectations.errors import CatalogueError
from warehouse.settings import Settings

SHIPPED = Path(__file__).parent / "waivers.yml"
FILE = "gate_waivers.yml"

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Pattern = Annotated[str, StringConstraints(pattern=r"^[^'%]+$")]


class Waiver(BaseModel):
    """One known failure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Pattern = Field(description="Id of a check; * stands for any letters.")
    owner: Text
    reason: Text
    ticket: Text
    expires_on: date = Field(description="Last day on which it counts.")
    subject: str | None = Field(None, description="Unit or region.")
    form: str | None = None
    indicator: str | None = None
    key: Pattern | None = Field(None, description="Key of a finding; * stands for any letters.")
    first_period: date | None = None
    last_period: date | None = None

    @model_validator(mode="after")
    def _one_place_at_least(self) -> "Waiver":
        if self.check.strip("*") == "" or self.check == "*.*":
            raise ValueError("must name a check or a group of checks, not all of them")
        return self

    @property
    def label(self) -> str:
        """What results and pages show of it."""
        return f"{self.ticket} ({self.owner}, until {self.expires_on})"

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """SQL on ``audit.finding`` that holds for what it covers, with its parameters."""
        parts, values = ["check_id like :check"], {"check": _like(self.check)}
        plain = {"subject_code": self.subject, "form_code": self.form, "indicator_code": self.indicator}
        for column, value in plain.items():
            if value is not None:
                parts.append(f"{column} = :{column}")
                values[column] = value
        if self.key is not None:
            parts.append("key like :key")
            values["key"] = _like(self.key)
        for sign, name in ((">=", "first_period"), ("<=", "last_period")):
            if getattr(self, name) is not None:
                parts.append(f"period_start {sign} :{name}")
                values[name] = getattr(self, name)
        return " and ".join(parts), values


def open_on(settings: Settings, day: date) -> list[Waiver]:
    """Waivers that count on a day; raises :class:`CatalogueError` with file and line."""
    files = [SHIPPED, settings.site / FILE]
    return [waiver for file in files for waiver in _read(file) if waiver.expires_on >= day]


def idle_on(settings: Settings, day: date, waivable: Iterable[str]) -> list[tuple[Waiver, str]]:
    """Waivers of the site folder that cover nothing on a day, each with why."""
    known = list(waivable)
    idle = []
    for waiver in _read(settings.site / FILE):
        if waiver.expires_on < day:
            idle.append((waiver, f"expired on {waiver.expires_on}"))
        elif not any(fnmatchcase(check, waiver.check) for check in known):
            idle.append((waiver, f"no warning is called {waiver.check}"))
    return idle


def _read(file: Path) -> Iterable[Waiver]:
    if not file.exists():
        return
    document = read(file)
    for number, entry in enumerate(document.data or []):
        try:
            yield Waiver.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            line = document.line((number, *first["loc"]))
            raise CatalogueError(
                f"{file}:{line}: {'.'.join(map(str, first['loc'])) or 'waiver'}: {first['msg']}.",
                mend="A waiver needs check, owner, reason, ticket and expires_on.",
                file=str(file),
                line=line,
            ) from error


def _like(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace("_", "\\_").replace("*", "%")
