"""What a bureau configures without Python: its sources, units, duties, waivers, severities and days off.

Seven files in the site folder: ``sources.yml``, ``organizations.csv``, ``duties.csv``, ``waivers.yml``, ``rules.yml``,
``holidays.csv``, ``regions.csv``. Every error names file and line and says how to mend it.
"""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ingestion import known_rules
from ingestion.forms_catalogue import load_forms
from ingestion.judging import NEVER_WAIVED
from ingestion.site_files import SiteError, SiteRow, read_csv, read_yaml
from ingestion.site_regions import RegionEvent
from warehouse.settings import Settings

__all__ = [
    "Duty",
    "Holiday",
    "OrganizationEvent",
    "RuleSeverity",
    "Site",
    "SiteError",
    "Source",
    "Waiver",
    "canonical_region",
    "load_site",
]


def _flag(value: object) -> object:
    """Yes and no as people type them in a spreadsheet; empty means unchanged."""
    return {"1": True, "true": True, "是": True, "0": False, "false": False, "否": False}.get(
        str(value).strip().lower(), value
    )


Flag = Annotated[bool, BeforeValidator(_flag)]
Code = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]


def _county(value: object) -> object:
    """A region as six digits: 440507000000 and 440507 are the same."""
    text = str(value).strip()
    if re.fullmatch(r"[0-9]{6}(0{3}|0{6})?", text):
        return text[:6]
    if re.fullmatch(r"[0-9]{9}([0-9]{3})?", text):
        raise ValueError(f"{text} is a township or village; give the county's six digits ({text[:6]})")
    raise ValueError("a region is named by its code of six digits")


def _township(value: object) -> object:
    """A township as nine digits: 440507001000 and 440507001 are the same; a bureau's own code stays."""
    text = str(value).strip()
    return canonical_region(text) or text


Region = Annotated[str, BeforeValidator(_county)]
Township = Annotated[str, BeforeValidator(_township)]


class Source(SiteRow):
    """A lane: where files come from and what they leave unsaid."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_zh: str
    inbox: str = ""
    region_code: Region | None = None
    reporter: str | None = None


class OrganizationEvent(SiteRow):
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
        "district",
        "ownership",
        "sponsor",
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
    region_code: Region | None = None
    township_code: Township | None = None
    is_proxy_reporter: Flag | None = None
    is_branch: Flag | None = None
    is_counted_by_second_class: Flag | None = None
    related_organization_code: str | None = None
    note: str | None = None


class Duty(SiteRow):
    """Who files a form for a subject, in one spell; ``valid_to`` is the first day it no longer holds."""

    form_code: Code
    subject_type: Literal["organization", "region"]
    subject_code: Code
    reporter_code: Code
    valid_from: date
    valid_to: date | None = None
    exempt_reason: str | None = None
    grace_days: int = Field(
        0, ge=0, le=366, description="Days after the due date that still count as on time."
    )

    @model_validator(mode="before")
    @classmethod
    def _same_region(cls, values: Any) -> Any:
        """One code for a region, however long it is written."""
        if isinstance(values, dict) and values.get("subject_type") == "region":
            code = canonical_region(str(values.get("subject_code", "")).strip())
            if code is None:
                raise ValueError("subject_code: a region is named by its code of 6, 9 or 12 digits")
            return {**values, "subject_code": code}
        return values

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Duty":
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be later than valid_from (it is the first day without the duty)")
        return self


class Waiver(SiteRow):
    """A known failure that does not quarantine, with who answers for it and until when."""

    rule: Code
    form: str | None = None
    subject: str | None = None
    period_from: date | None = None
    period_to: date | None = None
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires_on: date

    @model_validator(mode="after")
    def _may_be_waived(self) -> "Waiver":
        if self.rule in NEVER_WAIVED:
            raise ValueError(f"{self.rule} cannot be waived: nobody could say which number is the report's")
        return self

    @property
    def scope(self) -> tuple[object, ...]:
        """What two open waivers may not share."""
        return (self.rule, self.form, self.subject, self.period_from, self.period_to)


class RuleSeverity(SiteRow):
    """A severity that the bureau gives a rule itself, with who answers for it."""

    rule: Code
    form: str | None = None
    severity: Literal["hard", "soft"]
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _may_be_softened(self) -> "RuleSeverity":
        if self.severity == "soft" and self.rule in NEVER_WAIVED:
            raise ValueError(
                f"{self.rule} stays hard: without it nobody could say which number is the report's"
            )
        return self

    @property
    def scope(self) -> tuple[object, ...]:
        """What two severities may not share."""
        return (self.rule, self.form)


class Holiday(SiteRow):
    """A day off, or (``working``) a weekend day that is worked. Due dates move in the years that the file names."""

    day: date = Field(alias="date")
    working: Flag = False
    name: str | None = None


@dataclass(frozen=True)
class Site:
    """The site folder as read."""

    folder: Path
    sources: tuple[Source, ...]
    organizations: tuple[OrganizationEvent, ...]
    duties: tuple[Duty, ...]
    waivers: tuple[Waiver, ...]
    severities: tuple[RuleSeverity, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    regions: tuple[RegionEvent, ...] = ()

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
        for source in read_yaml(sources_file, Source, key=lambda source: source.code)
    )
    organizations = tuple(
        read_csv(
            folder / "organizations.csv",
            OrganizationEvent,
            # What one unit, day and kind say twice is put together; where they differ that is a finding.
            key=None,
        )
    )
    duties = tuple(
        read_csv(
            folder / "duties.csv",
            Duty,
            key=lambda duty: (duty.form_code, duty.subject_type, duty.subject_code, duty.valid_from),
        )
    )
    waivers = tuple(read_yaml(folder / "waivers.yml", Waiver, key=lambda waiver: waiver.scope))
    severities = tuple(read_yaml(folder / "rules.yml", RuleSeverity, key=lambda rule: rule.scope))
    holidays = tuple(read_csv(folder / "holidays.csv", Holiday, key=lambda holiday: holiday.day))
    regions = tuple(
        read_csv(
            folder / "regions.csv",
            RegionEvent,
            key=lambda event: (event.region_code, event.event_date, event.event_type),
        )
    )
    site = Site(folder, sources, organizations, duties, waivers, severities, holidays, regions)
    _check_references(site)
    _check_spells(site)
    _check_rules(site, settings)
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


def _check_rules(site: Site, settings: Settings) -> None:
    """A waiver or severity names a rule and a form that there are; otherwise it would do nothing, unnoticed."""
    named = [("waivers.yml", one.rule, one.form) for one in site.waivers]
    named += [("rules.yml", one.rule, one.form) for one in site.severities]
    if not named:
        return
    catalogue = load_forms(settings)
    for file, rule, form in named:
        if said := known_rules.unknown(rule, form, catalogue):
            raise SiteError(
                f"{site.folder / file} names what nobody knows. {said}",
                mend="Correct the name, or take the entry out; `warehouse forms show FORM` lists the rules of a form.",
                rule=rule,
                form=form,
            )


def _check_spells(site: Site) -> None:
    """A subject has one duty a form on any day."""
    spells = sorted(
        site.duties, key=lambda duty: (duty.form_code, duty.subject_type, duty.subject_code, duty.valid_from)
    )
    for earlier, later in pairwise(spells):
        same = (earlier.form_code, earlier.subject_type, earlier.subject_code) == (
            later.form_code,
            later.subject_type,
            later.subject_code,
        )
        if same and (earlier.valid_to is None or earlier.valid_to > later.valid_from):
            raise SiteError(
                f"{site.folder / 'duties.csv'} has two duties of {later.subject_code} for {later.form_code} at once,"
                f" from {earlier.valid_from} and from {later.valid_from}.",
                mend="End the earlier one (valid_to is the first day without it) before the later begins.",
                subject=later.subject_code,
                form=later.form_code,
            )


def canonical_region(code: str) -> str | None:
    """A region's code as the registry keeps it: six digits down to the county, nine for a township, twelve below.

    440507000000, 440507000 and 440507 are the same; None when it is no code.
    """
    if not re.fullmatch(r"[0-9]{6}([0-9]{3}|[0-9]{6})?", code):
        return None
    return re.sub(r"^([0-9]{6}(?:[0-9]{3})??)(?:0{3}|0{6})$", r"\1", code)
