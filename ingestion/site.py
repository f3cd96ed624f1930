"""What a bureau configures without Python: its sources, units, duties and waivers.

Four files in the site folder: ``sources.yml``, ``organizations.csv``, ``duties.csv``, ``waivers.yml``.
Every error names file and line and says how to mend it.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from warehouse.errors import WarehouseError
from warehouse.settings import Settings


class SiteError(WarehouseError):
    """A file of the site folder cannot be used; the message names file and line."""


def _flag(value: object) -> object:
    """Yes and no as people type them in a spreadsheet; empty means unchanged."""
    return {"1": True, "true": True, "是": True, "0": False, "false": False, "否": False}.get(
        str(value).strip().lower(), value
    )


Flag = Annotated[bool, BeforeValidator(_flag)]
Code = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]


class _Row(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, coerce_numbers_to_str=True
    )


Row = TypeVar("Row", bound=_Row)


class Source(_Row):
    """A lane: where files come from and what they leave unsaid."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_zh: str
    inbox: str = ""
    region_code: str | None = Field(None, pattern=r"^\d{6}$")
    reporter: str | None = None


class OrganizationEvent(_Row):
    """One dated change of a unit; what is left out stays as it was."""

    organization_code: Code
    event_date: date
    event_type: Literal[
        "open",
        "close",
        "reopen",
        "rename",
        "reclass",
        "regrade",
        "move",
        "ownership",
        "merge",
        "split",
        "other",
    ]
    name_zh: str | None = None
    uscc: str | None = None
    org_code_22: str | None = None
    class_code: str | None = None
    second_class_code: str | None = None
    economic_type_code: str | None = None
    sponsor_code: str | None = None
    management_class_code: str | None = None
    level_code: str | None = None
    grade_code: str | None = None
    region_code: str | None = None
    township_code: str | None = None
    is_proxy_reporter: Flag | None = None
    is_branch: Flag | None = None
    related_organization_code: str | None = None
    note: str | None = None


class Duty(_Row):
    """Who files a form for a subject, in one spell; ``valid_to`` is the first day it no longer holds."""

    form_code: Code
    subject_type: Literal["organization", "region"]
    subject_code: Code
    reporter_code: Code
    valid_from: date
    valid_to: date | None = None
    exempt_reason: str | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Duty":
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be later than valid_from (it is the first day without the duty)")
        return self


class Waiver(_Row):
    """A known failure that does not quarantine, with who answers for it and until when."""

    rule: Code
    form: str | None = None
    subject: str | None = None
    period_from: date | None = None
    period_to: date | None = None
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires_on: date

    @property
    def scope(self) -> tuple[object, ...]:
        """What two open waivers may not share."""
        return (self.rule, self.form, self.subject, self.period_from, self.period_to)


@dataclass(frozen=True)
class Site:
    """The site folder as read."""

    folder: Path
    sources: tuple[Source, ...]
    organizations: tuple[OrganizationEvent, ...]
    duties: tuple[Duty, ...]
    waivers: tuple[Waiver, ...]

    def source(self, code: str) -> Source:
        """The source with this code; raises :class:`SiteError` naming those that exist."""
        for source in self.sources:
            if source.code == code:
                return source
        known = ", ".join(source.code for source in self.sources) or "none"
        raise SiteError(
            f"There is no source {code!r}; configured are: {known}.",
            mend=f"Add it to {self.folder / 'sources.yml'}.",
        )


def load_site(settings: Settings) -> Site:
    """Read the site folder; raises :class:`SiteError`. Only ``sources.yml`` must be there."""
    folder = settings.site
    sources_file = folder / "sources.yml"
    if not sources_file.exists():
        raise SiteError(
            f"{sources_file} is missing, so nobody knows where reports arrive.",
            mend="Write it, or point WAREHOUSE_SITE at the folder that holds it.",
        )
    sources = tuple(
        source if source.inbox else source.model_copy(update={"inbox": str(settings.inbox / source.code)})
        for source in _read_yaml(sources_file, Source, key=lambda source: source.code)
    )
    organizations = tuple(
        _read_csv(
            folder / "organizations.csv",
            OrganizationEvent,
            key=lambda event: (event.organization_code, event.event_date, event.event_type),
        )
    )
    duties = tuple(
        _read_csv(
            folder / "duties.csv",
            Duty,
            key=lambda duty: (duty.form_code, duty.subject_type, duty.subject_code, duty.valid_from),
        )
    )
    waivers = tuple(_read_yaml(folder / "waivers.yml", Waiver, key=lambda waiver: waiver.scope))
    site = Site(folder, sources, organizations, duties, waivers)
    _check_references(site)
    return site


def _check_references(site: Site) -> None:
    """Every unit that another file names must be in ``organizations.csv``."""
    known = {event.organization_code for event in site.organizations}
    named: list[tuple[str, str]] = [("duties.csv", duty.reporter_code) for duty in site.duties]
    named += [
        ("duties.csv", duty.subject_code) for duty in site.duties if duty.subject_type == "organization"
    ]
    named += [
        ("organizations.csv", event.related_organization_code)
        for event in site.organizations
        if event.related_organization_code
    ]
    named += [("sources.yml", source.reporter) for source in site.sources if source.reporter]
    for file, code in named:
        if code not in known:
            raise SiteError(
                f"{site.folder / file} names unit {code!r}, which organizations.csv does not have.",
                mend="Add the unit's opening there, or correct the code.",
                code=code,
            )


class _NumberedLoader(yaml.SafeLoader):
    """Keeps the line of every mapping beside its content."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        mapping["__line__"] = node.start_mark.line + 1
        return mapping


def _read_yaml(file: Path, model: type[Row], key: Any) -> list[Row]:
    if not file.exists():
        return []
    try:
        entries = yaml.load(file.read_text(encoding="utf-8"), Loader=_NumberedLoader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        raise SiteError(f"{where} is no valid YAML in UTF-8.", mend="Correct the line.") from error
    if isinstance(entries, dict) and file.stem in entries:
        entries = entries[file.stem]  # the list may stand under the file's own name
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SiteError(
            f"{file} must be a list of entries, each beginning with '- '.", mend="Correct its layout."
        )
    numbered = [(entry.pop("__line__"), entry) for entry in entries]
    return list(_rows(file, model, numbered, key))


def _read_csv(file: Path, model: type[Row], key: Any) -> list[Row]:
    if not file.exists():
        return []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SiteError(f"{file} is not UTF-8.", mend="Save it as CSV UTF-8.") from error
    reader = csv.DictReader(lines, restkey="", strict=True)
    numbered: list[tuple[int, dict[str, Any]]] = []
    try:
        for entry in reader:
            if any(entry.values()):
                numbered.append((reader.line_num, {name: value for name, value in entry.items() if value}))
    except csv.Error as error:
        raise SiteError(f"{file}:{reader.line_num}: {error}.", mend="Correct the line.") from error
    return list(_rows(file, model, numbered, key))


def _rows(
    file: Path, model: type[Row], numbered: Sequence[tuple[int, dict[str, Any]]], key: Any
) -> Iterator[Row]:
    seen: dict[object, int] = {}
    for line, entry in numbered:
        try:
            row = model.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(str(part) for part in first["loc"]) or "the line"
            known = ", ".join(model.model_fields)
            raise SiteError(
                f"{file}:{line}: {column or 'an extra cell'}: {first['msg']}.",
                mend=f"Columns and keys known here: {known}."
                if first["type"] in ("extra_forbidden", "missing")
                else "Correct the value.",
                file=str(file),
                line=line,
            ) from error
        if key(row) in seen:
            raise SiteError(
                f"{file}:{line} repeats line {seen[key(row)]}.",
                mend="Remove one of them.",
                file=str(file),
                line=line,
            )
        seen[key(row)] = line
        yield row
