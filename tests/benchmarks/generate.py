"""Constructed monthly reports of many units over many years, as the CSV files that a bureau would keep.

Numbers are made up; they satisfy every hard rule of the form and vary by unit and season.
"""

import os
from datetime import date
from pathlib import Path

import polars as pl

from ingestion import directory, raw
from ingestion.forms_catalogue import load_forms
from ingestion.site import load_site
from warehouse.database import Role, engine
from warehouse.settings import Settings, get_settings

FORM = "hosp_monthly"


def prepare(settings: Settings, code: str, described: str, measures: int, units: int) -> Settings:
    """A site and a database that know a form of their own: ``described`` up to its ``measures``, and five rules."""
    folder = settings.home / "forms"
    folder.mkdir()
    lines = [
        f"  - {{code: m{number}, labels: [指标{number}], type: int, nature: flow, unit: 人次}}"
        for number in range(measures)
    ]
    rules = [
        f"  - {{id: B{n}, severity: hard, check: m{n} <= m0 + 100000, message_zh: 构造, message_en: constructed}}"
        for n in range(1, 6)
    ]
    (folder / f"{code}.yml").write_text("\n".join([described.rstrip(), *lines, "rules:", *rules]) + "\n")
    os.environ["WAREHOUSE_FORMS"] = str(folder)
    get_settings.cache_clear()
    settings = get_settings()
    write_site(settings, units)
    raw.prepare(settings)
    directory.take_in(engine(Role.LOADER), load_site(settings))
    return settings


def write_site(settings: Settings, units: int) -> None:
    """A site with one source and ``units`` hospitals that have been open since 1990."""
    settings.site.mkdir(parents=True)
    (settings.site / "sources.yml").write_text("sources:\n  - {code: hospital, name_zh: 医院}\n")
    (settings.site / "duties.csv").write_text(
        "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"
    )
    (settings.site / "waivers.yml").write_text("waivers: []\n")
    header = (
        "organization_code,event_date,event_type,name_zh,class_code,economic_type_code,management_class_code,"
        "level_code,region_code,is_proxy_reporter,is_branch"
    )
    lines = [
        f"U{unit:04},1990-01-01,open,构造医院{unit:04},A100,{110 if unit % 2 else 171},1,2,440507,false,false"
        for unit in range(units)
    ]
    (settings.site / "organizations.csv").write_text("\n".join([header, *lines]) + "\n")


def monthly_reports(units: int, months: list[date]) -> pl.DataFrame:
    """One row per unit and month with the columns of ``hosp_monthly`` by field code; money in 千元."""
    frame = pl.DataFrame({"unit": range(units)}).join(pl.DataFrame({"month": months}), how="cross")
    visits = (
        2000
        + pl.col("unit") * 7 % 900
        + pl.col("month").dt.month() * 31
        + pl.col("month").dt.year() % 17 * 13
    )
    days = pl.col("month").dt.month_end().dt.day().cast(pl.Int64)
    beds = 100 + pl.col("unit") % 50
    return frame.select(
        organization_code=pl.format("U{}", pl.col("unit").cast(pl.String).str.zfill(4)),
        org_name=pl.format("构造医院{}", pl.col("unit").cast(pl.String).str.zfill(4)),
        report_month=pl.col("month").dt.strftime("%Y-%m"),
        staff_technical=beds * 2,
        doctors=beds // 2,
        gp_registered=pl.lit(3),
        gp_certified=pl.lit(2),
        nurses=beds * 4 // 5,
        beds_actual=beds,
        bed_days_open=beds * days,
        bed_days_occupied=beds * days * 4 // 5,
        bed_days_of_discharged=beds * days * 39 // 50,
        revenue_medical=visits + 3000,
        revenue_outpatient=visits,
        revenue_outpatient_drug=visits // 3,
        revenue_inpatient=pl.lit(3000),
        revenue_inpatient_drug=pl.lit(900),
        revenue_essential_drug=pl.lit(400),
        revenue_tcm_drug=pl.lit(90),
        expenditure_medical=visits + 2900,
        expenditure_drug=visits // 3 + 800,
        visits_total=visits,
        visits_outpatient_emergency=visits - 40,
        visits_by_appointment=visits // 4,
        discharges=beds * days // 10,
        inpatient_deaths=pl.col("unit") % 3,
    )


def months_of(first: int, last: int) -> list[date]:
    """First days of all months of the years ``first`` to ``last``."""
    return [date(year, month, 1) for year in range(first, last + 1) for month in range(1, 13)]


def write_reports(settings: Settings, reports: pl.DataFrame, name: str) -> Path:
    """Write reports as a CSV file with the form's own labels into the inbox of the one source."""
    form = load_forms(settings)[FORM]
    labels = {field.code: field.labels[0] for field in form.fields}
    folder = settings.inbox / "hospital"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder.parent / f".{name}"
    reports.rename({code: labels[code] for code in reports.columns}).write_csv(part)
    return part.rename(folder / name)
