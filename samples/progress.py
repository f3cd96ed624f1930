"""What a year's plan leads to, as reports: tasks with their progress, titles granted, tables of a region.

The annual plans of Nantong 2015 and Hai'an 2024 print targets and no result; what is reported here is invented, so
that the marts can say of each target how far it is.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from samples.sheets import Record, table_of
from samples.writers import Delivery, as_csv, as_xlsx, put
from warehouse.errors import WarehouseError

CONSTRUCTED = "构造样例数据（非真实上报，数字均为虚构）"
OTHER = "P939"
"""Class of units that the standard has no class for: offices that file tables, day-care institutions."""
TOWN_COLUMNS = (
    "region_code", "event_date", "event_type", "statistics_from", "name_zh", "level", "became_code", "note",
)  # fmt: skip


class NoSite(WarehouseError):
    """Reports of a plan come on top of a sample that is there."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task by the end of the year: how much of it is done, and of how many where it is a share."""

    indicator: str
    done: int
    unit: str = "个"
    of: int | None = None
    region: str | None = None
    """Region that it is told of, where that is not the plan's own."""


@dataclass(frozen=True, slots=True)
class Title:
    """A title that so many places got on a day."""

    name: str
    level: str
    """1 national, 2 provincial, 3 of the prefecture."""
    number: int
    granted: str
    places: Sequence[str] = ()
    """Codes of the places; left out, they are villages of the plan's first town."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan whose year is reported: where, when, by whom."""

    region: str
    region_name: str
    year: int
    lead_code: str
    lead_name: str
    towns: Sequence[str]

    @property
    def own(self) -> Record:
        """The columns that say of which region a table is."""
        return {"region_code": self.region, "region_name": self.region_name}


def deliver(
    home: Path,
    events: Iterable[dict[str, str]],
    deliveries: Iterable[Delivery],
    *,
    towns: Iterable[dict[str, str]] = (),
    duties: Iterable[dict[str, str]] = (),
    source: str = "",
) -> list[Path]:
    """Put a plan's reports into the inboxes below ``home``; units, towns, duties and source into the site.

    Returns the files.

    Raises :class:`NoSite` when no sample has been written there before.
    """
    directory = home / "site" / "organizations.csv"
    if not directory.is_file():
        raise NoSite(
            f"There is no directory of units {directory}.", mend="Write the sample first: warehouse sample"
        )
    _add(directory, ("organization_code",), events)
    _add(directory.with_name("regions.csv"), ("region_code", "event_date", "event_type"), towns)
    _add(directory.with_name("duties.csv"), ("form_code", "subject_code", "valid_from"), duties)
    sources = directory.with_name("sources.yml")
    told = sources.read_text(encoding="utf-8")
    if source not in told:
        sources.write_text(told + source, encoding="utf-8")
    return [put(file, home / "inbox") for file in deliveries]


def progress_table(plan: Plan, tasks: Iterable[Task]) -> bytes:
    """The table of tasks at the year's end, one row a task."""
    records: list[Record] = [
        {
            "organization_code": plan.lead_code,
            "lead_unit": plan.lead_name,
            "quarter": f"{plan.year}年第4季度",
            "task_code": f"{plan.year}-{number:03d}",
            "indicator_code": task.indicator,
            "region_code": task.region or plan.region,
            "unit": task.unit,
            "done_cumulative": task.done,
            "denominator": task.of,
            "status": "2",
        }
        for number, task in enumerate(tasks, start=1)
    ]
    return as_xlsx(table_of("task_progress", records, titles=[CONSTRUCTED]))


def title_table(plan: Plan, titles: Iterable[Title]) -> bytes:
    """The register of titles, one row a title and place."""
    records: list[Record] = []
    for title in titles:
        places = title.places or [f"{plan.towns[i % len(plan.towns)]}{200 + i}" for i in range(title.number)]
        records += [
            {
                "subject_type": _kind_of(place),
                "subject_code": place,
                "cert_type": title.name,
                "cert_level": title.level,
                "document_no": f"构造文号〔{plan.year}〕{len(records) + number}号",
                "valid_from": title.granted,
            }
            for number, place in enumerate(places[: title.number], start=1)
        ]
    return as_csv(table_of("certification_register", records, titles=[CONSTRUCTED]), encoding="utf-8-sig")


def region_table(form: str, records: Sequence[Record]) -> bytes:
    """A table of a form as the bureau sends it."""
    return as_csv(table_of(form, records, titles=[CONSTRUCTED]), encoding="gb18030")


def unit_event(
    plan: Plan,
    code: str,
    name: str,
    uscc: str,
    class_code: str = OTHER,
    *,
    opened: str = "2005-01-01",
    region: str | None = None,
    level: str = "",
) -> dict[str, str]:
    """The opening of a unit that reports, as a row of the directory; it lies in the plan's region unless told."""
    return {
        "organization_code": code,
        "event_date": opened,
        "event_type": "open",
        "name_zh": name,
        "uscc": uscc,
        "class_code": class_code,
        "economic_type_code": "110",
        "sponsor_code": "1",
        "management_class_code": "1",
        "level_code": level,
        "region_code": region or plan.region,
        "is_proxy_reporter": "0",
        "is_branch": "0",
        "note": CONSTRUCTED,
    }


def duty(form: str, subject: str, spell: tuple[str, str], *, reporter: str | None = None) -> dict[str, str]:
    """Who files a form in a spell, as a row of the site's duties: the unit itself, or a reporter for a region."""
    return {
        "form_code": form,
        "subject_type": "region" if reporter else "organization",
        "subject_code": subject,
        "reporter_code": reporter or subject,
        "valid_from": spell[0],
        "valid_to": spell[1],
        "exempt_reason": "",
    }


def town_opens(code: str, name: str, day: str, *, from_year: int) -> dict[str, str]:
    """A constructed town that is there from a day on, as a row of the site's regions."""
    return _town(code, day, from_year) | {"event_type": "open", "name_zh": name, "level": "township"}


def town_closes(code: str, day: str, *, from_year: int, became: str) -> dict[str, str]:
    """The end of a town's code, and the code that it has from then on."""
    return _town(code, day, from_year) | {"event_type": "close", "became_code": became}


def _town(code: str, day: str, from_year: int) -> dict[str, str]:
    return dict.fromkeys(TOWN_COLUMNS, "") | {
        "region_code": code,
        "event_date": day,
        "statistics_from": f"{from_year}-01-01",
        "note": CONSTRUCTED,
    }


def _kind_of(place: str) -> str:
    """Kind of what got a title, by its code: a unit, a town, a village, a county or prefecture."""
    if not place.isdigit():
        return "1"
    return {6: "4", 9: "2"}.get(len(place), "3")


def _add(path: Path, key: Sequence[str], added: Iterable[dict[str, str]]) -> None:
    """Append to a table of the site what it does not have yet."""
    columns, rows = list(TOWN_COLUMNS), list[dict[str, str]]()
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = list(reader.fieldnames or []), list(reader)
    known = {tuple(row[field] for field in key) for row in rows}
    rows += [row for row in added if tuple(row[field] for field in key) not in known]
    if not rows:
        return
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8")
