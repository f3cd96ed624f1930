"""The site folder of a generated prefecture: sources, units with their history, duties."""

import csv
import io
from datetime import date

import polars as pl

from samples.generator.delivering import LANES
from samples.generator.reports import Reports
from samples.generator.world import CONSTRUCTED, PREFECTURE, PREFECTURE_NAME, Unit, World
from samples.labels import form

_NAMES = {
    "hospital": "医疗机构和基层公共卫生报表",
    "nursery": "托育机构报表",
    "cdc": "疾控报表",
    "mch": "妇幼报表",
    "bureau": "人口与费用",
}
_EVENT_COLUMNS = (
    "organization_code", "event_date", "event_type", "name_zh", "uscc", "class_code", "economic_type_code",
    "sponsor_code", "management_class_code", "level_code", "region_code", "is_proxy_reporter", "is_branch",
    "related_organization_code", "note",
)  # fmt: skip
_DUTY_COLUMNS = (
    "form_code", "subject_type", "subject_code", "reporter_code", "valid_from", "valid_to", "exempt_reason",
)  # fmt: skip
_REGION_COLUMNS = ("region_code", "event_date", "event_type", "name_zh", "level", "became_code", "note")
FOUNDED = date(1990, 1, 1)


def files(world: World, reports: list[Reports]) -> dict[str, str]:
    """Name and text of every file of the site folder."""
    return {
        "sources.yml": _sources(),
        "organizations.csv": _csv(_EVENT_COLUMNS, events(world)),
        "duties.csv": _csv(_DUTY_COLUMNS, duties(world, reports)),
        "regions.csv": _csv(_REGION_COLUMNS, regions(world)),
        "waivers.yml": "[]\n",
    }


def regions(world: World) -> list[dict[str, str]]:
    """Dated events of province, prefecture and districts; each district has one subdistrict, of which cards tell."""
    opened: dict[str, tuple[date, str, str]] = {
        PREFECTURE[:2] + "0000": (FOUNDED, "构造省", "province"),
        PREFECTURE: (FOUNDED, PREFECTURE_NAME, "prefecture"),
    }
    closed: dict[str, tuple[date, str]] = {}
    for place in range(world.places):
        for district in world.districts(place):
            begins = district.valid_from or FOUNDED
            opened[district.code] = (begins, district.name, "county")
            opened[f"{district.code}001"] = (begins, f"{district.name}街道", "township")
            if district.valid_to is not None:
                into = world.districts(place)[-1].code
                closed[district.code] = (district.valid_to, into)
                closed[f"{district.code}001"] = (district.valid_to, f"{into}001")
    rows = [
        {
            "region_code": code,
            "event_date": day.isoformat(),
            "event_type": "open",
            "name_zh": name,
            "level": level,
        }
        for code, (day, name, level) in opened.items()
    ]
    rows += [
        {"region_code": code, "event_date": day.isoformat(), "event_type": "close", "became_code": into}
        for code, (day, into) in closed.items()
    ]
    return [
        row | {"note": CONSTRUCTED}
        for row in sorted(rows, key=lambda row: (row["region_code"], row["event_date"]))
    ]


def events(world: World) -> list[dict[str, str]]:
    """Dated events of units and centres, by unit and date."""
    found = []
    for unit in (*world.units, *world.centres["cdc"], *world.centres["mch"], *world.nurseries):
        found += _of_unit(world, unit)
    return sorted(found, key=lambda event: (event["organization_code"], event["event_date"]))


def duties(world: World, reports: list[Reports]) -> list[dict[str, str]]:
    """Who files what: as long as a unit or a district is there, and no longer than there are reports.

    Taken from the clean reports: each subject owes a form from its first to its last period.
    """
    return [duty for one in reports for duty in _duties_of(world, one)]


def _duties_of(world: World, reports: Reports) -> list[dict[str, str]]:
    subject_type = form(reports.form).subject.type
    spells = reports.frame.group_by("subject", maintain_order=True).agg(
        pl.col("start").min(),
        (pl.col("end").max() + pl.duration(days=1)).alias("until"),
        pl.col("place").first(),
    )
    return [
        {
            "form_code": reports.form,
            "subject_type": subject_type,
            "subject_code": subject,
            "reporter_code": subject
            if subject_type == "organization"
            else _reporter(world, reports.form, place),
            "valid_from": start.isoformat(),
            "valid_to": until.isoformat(),
        }
        for subject, start, until, place in spells.iter_rows()
    ]


def _reporter(world: World, form_code: str, place: int) -> str:
    centre = "mch" if form_code in LANES["mch"] else "cdc"
    return world.centres[centre][max(place, 0)].code


def _of_unit(world: World, unit: Unit) -> list[dict[str, str]]:
    opened = unit.opened or FOUNDED
    first = world.districts(unit.place)[0]
    rows = [
        {
            "organization_code": unit.code,
            "event_date": opened.isoformat(),
            "event_type": "open",
            "name_zh": unit.former_name or unit.name,
            "uscc": unit.uscc,
            "class_code": unit.class_code,
            "economic_type_code": unit.economic_type,
            "sponsor_code": unit.sponsor,
            "management_class_code": "1" if unit.economic_type == "110" else "2",
            "level_code": unit.level,
            "region_code": world.district(unit.place, opened).code if unit.opened else first.code,
            "is_proxy_reporter": "0",
            "is_branch": "0",
            "note": CONSTRUCTED,
        }
    ]
    later: list[tuple[date, dict[str, str]]] = []
    if world.merged_on and len(world.districts(unit.place)) > 1 and opened < world.merged_on:
        merged = world.districts(unit.place)[1]
        later.append(
            (world.merged_on, {"event_type": "move", "region_code": merged.code, "note": "构造：两区合并"})
        )
    if unit.renamed:
        later.append((unit.renamed, {"event_type": "rename", "name_zh": unit.name}))
    if unit.closed:
        into = world.units[unit.successor].code if unit.successor is not None else ""
        note = "构造：并入另一机构" if into else "构造：停业"
        later.append((unit.closed, {"event_type": "close", "related_organization_code": into, "note": note}))
    return rows + [
        {"organization_code": unit.code, "event_date": day.isoformat(), **changes} for day, changes in later
    ]


def _sources() -> str:
    lines = [f"# {CONSTRUCTED}"]
    for code, name in _NAMES.items():
        lines += [f"- code: {code}", f"  name_zh: {name}"]
        lines += [f'  region_code: "{PREFECTURE}"'] if code not in ("hospital", "nursery") else []
    return "\n".join(lines) + "\n"


def _csv(columns: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
