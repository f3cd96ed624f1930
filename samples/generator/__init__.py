"""A generated prefecture: the main forms over years, labelled as constructed, with known errors if wanted."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from samples.generator import cards, site
from samples.generator.births import Births
from samples.generator.delivering import SHANGHAI, Format, Sent, deliver, late_and_amended
from samples.generator.diseases import Diseases
from samples.generator.errors import KINDS, Error, damage
from samples.generator.programmes import Programmes
from samples.generator.registers import Registers
from samples.generator.reports import Reports
from samples.generator.services import Services
from samples.generator.world import CONSTRUCTED, InvalidWorld, Options, World
from samples.writers import Delivery, put

__all__ = ["KINDS", "Error", "Format", "InvalidWorld", "Options", "Reports", "Written", "generate", "write"]

TRUTH_COLUMNS = (
    "file", "form", "subject", "period_start", "period_end", "record", "field", "kind", "before", "after",
)  # fmt: skip
STORY_COLUMNS = ("what", "subject", "form", "period_start", "period_end", "detail")


@dataclass(frozen=True)
class Written:
    """What was written below a folder."""

    files: list[Path]
    reports: int
    errors: int
    """Reports with an error of entry."""
    of_persons: int
    """Reports among them that are batches of one line a person."""


def generate(options: Options) -> tuple[World, list[Reports], Diseases]:
    """The prefecture and its clean reports, form by form, without those of one line a person."""
    world, reports, diseases, _ = _generate(options)
    return world, reports, diseases


def _generate(options: Options) -> tuple[World, list[Reports], Diseases, Services]:
    world = World(options)
    blank = Services(world, np.zeros((world.places, len(world.axis))))
    residents = blank.residents
    of_place = np.array([residents[world.place_of == place].sum(axis=0) for place in range(world.places)])
    diseases = Diseases(world, of_place)
    services = Services(world, diseases.influenza)
    reports = [
        *services.reports(),
        diseases.report(),
        *Births(world, residents).reports(),
        *Registers(world, residents).reports(),
        *Programmes(world, residents, services.discharges).reports(),
    ]
    return world, [one.typed() for one in reports], diseases, services


def write(folder: Path, options: Options, *, file_format: Format = "mixed") -> Written:
    """Write ``site``, ``inbox`` and ``truth`` below a folder; the same bytes and times for the same options.

    ``truth/truth.csv`` has a line for every changed cell and every missing or copied report, ``truth/story.csv`` what
    is peculiar and yet right: outbreaks, openings, closings, mergers, late and amended reports.
    """
    world, clean, diseases, services = _generate(options)
    reports, errors = damage(clean, options.seed, options.errors)
    opened = datetime(options.first_year, 1, 1, 9, 0, tzinfo=SHANGHAI)
    for name, text in site.files(world, clean).items():
        put(Delivery(f"site/{name}", text.encode(), opened), folder)
    files: list[Path] = []
    sent: list[Sent] = []
    for one in reports:
        struck = {error.report for error in errors if error.form == one.form}
        for delivery, held in deliver(world, one, late_and_amended(world, one, struck), file_format):
            files.append(put(delivery, folder / "inbox"))
            sent += held
    of_persons = 0
    for batch in cards.batches(world, services, diseases):
        files.append(put(batch.delivery, folder / "inbox"))
        of_persons += batch.reports
    _put_truth(folder, errors, sent, opened)
    _put_story(folder, world, diseases, sent, opened)
    put(Delivery("truth/README.md", _README.format(**options.__dict__).encode(), opened), folder)
    struck_reports = {(error.form, *error.report) for error in errors}
    return Written(
        files,
        sum(one.frame.select("subject", "start", "end").n_unique() for one in reports) + of_persons,
        len(struck_reports),
        of_persons,
    )


def _put_truth(folder: Path, errors: list[Error], sent: list[Sent], moment: datetime) -> None:
    path_of = {(one.form, one.subject, one.start, one.end): one.path for one in sent}
    rows = [
        (
            # A missing report is in no file.
            path_of.get((e.form, *e.report), ""),
            e.form, e.subject, e.start, e.end, e.record, e.field, e.kind, _plain(e.before), _plain(e.after),
        )
        for e in errors
    ]  # fmt: skip
    put(Delivery("truth/truth.csv", _csv(TRUTH_COLUMNS, rows), moment), folder)


def _put_story(folder: Path, world: World, diseases: Diseases, sent: list[Sent], moment: datetime) -> None:
    rows: list[tuple[object, ...]] = []
    for outbreak in diseases.outbreaks:
        last = world.axis[world.axis.index(outbreak.first) + outbreak.months - 1]
        district = world.district(outbreak.place, last)
        detail = f"{outbreak.disease} × {outbreak.times:.1f}"
        rows.append(("outbreak", district.code, "idr_monthly", outbreak.first, last, detail))
    for unit in world.units:
        if unit.opened:
            rows.append(("opening", unit.code, "", unit.opened, "", unit.name))
        if unit.closed:
            into = world.units[unit.successor].code if unit.successor is not None else ""
            rows.append(("merger of units" if into else "closing", unit.code, "", unit.closed, "", into))
    if world.merged_on:
        merged = world.districts(world.places - 1)[1]
        former = ", ".join(world.districts(place)[0].code for place in (world.places - 2, world.places - 1))
        rows.append(("merger of districts", merged.code, "", world.merged_on, "", former))
    rows += [
        (
            "late" if one.what == "late" else "amended",
            one.subject,
            one.form,
            one.start,
            one.end,
            f"{one.received_on}: {one.path}",
        )
        for one in sent
        if one.what != "on time"
    ]
    put(Delivery("truth/story.csv", _csv(STORY_COLUMNS, rows), moment), folder)


def _csv(columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return buffer.getvalue().encode()


def _plain(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value


_README = f"""\
# {CONSTRUCTED}

由 `warehouse sample --units {{units}} --years {{years}} --seed {{seed}} --errors {{errors}}` 生成。
地区代码以99开头、机构代码以GZ开头，均不存在；没有任何一份报表由真实机构上报。`truth.csv` 列出故意放入的填报错误，
`story.csv` 列出特殊但真实的情况（暴发、开业停业、合并、迟报、订正）。

Generated at random. No place, unit or number in it is real.
"""
