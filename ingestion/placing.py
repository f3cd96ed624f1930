"""Placing reports: the unit or region each is about, and who filed it."""

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, text

from ingestion import directory, units
from ingestion.forms_catalogue import Catalogue
from ingestion.judging import OpenWaiver, OwnSeverity
from ingestion.reading import Reading, SourceContext
from ingestion.site import Source

_DUTIES = """
select form_code, subject_type, subject_code, reporter_key, valid_from, coalesce(valid_to, date '9999-12-31')
from registry.duty
"""

_WAIVERS = """
select waiver_id, rule_id, form_code, subject_code, period_from, period_to
from registry.waiver where ended_at is null and expires_on >= :today order by waiver_id
"""

_SEVERITIES = """
select severity_id, rule_id, form_code, severity
from registry.rule_severity where ended_at is null order by severity_id
"""


@dataclass(frozen=True)
class Lane:
    """What stays the same while files of one source are taken in."""

    catalogue: Catalogue
    source: SourceContext
    versions: pl.DataFrame
    known: pl.DataFrame
    duties: pl.DataFrame
    waivers: tuple[OpenWaiver, ...]
    severities: tuple[OwnSeverity, ...] = ()


def load_lane(connection: Connection, catalogue: Catalogue, source: Source, today: date) -> Lane:
    """Read directory, duties, the waivers that count today and the bureau's own severities."""
    versions = directory.versions(connection)
    duties = pl.DataFrame(
        [tuple(row) for row in connection.execute(text(_DUTIES))],
        schema={
            "form_code": pl.String,
            "subject_type": pl.String,
            "subject_code": pl.String,
            "duty_reporter": pl.Int32,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
        },
        orient="row",
    )
    return Lane(
        catalogue=catalogue,
        source=context_of(source),
        versions=versions,
        known=units.identifiers(versions),
        duties=duties,
        waivers=tuple(OpenWaiver(*row) for row in connection.execute(text(_WAIVERS), {"today": today}).all()),
        severities=tuple(OwnSeverity(*row) for row in connection.execute(text(_SEVERITIES)).all()),
    )


def context_of(source: Source) -> SourceContext:
    """What a source says about files that do not say it themselves."""
    return SourceContext(source.code, source.region_code, source.reporter)


def place(reading: Reading, lane: Lane) -> pl.DataFrame:
    """The reading's reports with subject_code (null when unknown), organization_key, region_code, reporter_key.

    Units are looked up as of the report's period; the reporter is who the file says, else who the source says,
    else who has the duty, else the unit itself.
    """
    reports = units.resolve(reading.reports, lane.known)
    is_unit = pl.col("subject_type") == "organization"
    reports = reports.with_columns(
        subject_code=pl.when(is_unit)
        .then(pl.col("organization_code"))
        .when(units.is_region_code(pl.col("subject_ref")))
        .then(units.canonical_region(pl.col("subject_ref"))),
        organization_key=pl.when(is_unit).then(pl.col("organization_key")),
    )
    at_period = units.attributes(reports, lane.versions).select(
        "subject_ref", "period_start", "period_end", pl.col("region_code").alias("unit_region")
    )
    reports = reports.join(
        at_period, on=["subject_ref", "period_start", "period_end"], how="left", maintain_order="left"
    ).with_columns(region_code=pl.when(is_unit).then(pl.col("unit_region")).otherwise(pl.col("subject_code")))
    return _with_reporters(reports, reading, lane).drop("unit_region")


def _with_reporters(reports: pl.DataFrame, reading: Reading, lane: Lane) -> pl.DataFrame:
    printed = units.resolve(
        reports.select(
            "report_no",
            pl.coalesce(pl.col("reporter_ref"), pl.lit(lane.source.reporter, pl.String)).alias("subject_ref"),
            "period_start",
            "period_end",
        ),
        lane.known,
    ).select("report_no", printed_reporter="organization_key")
    on_duty = (
        reports.select("report_no", "subject_type", "subject_code", "period_end")
        .join(
            lane.duties.filter(pl.col("form_code") == reading.form.code).drop("form_code"),
            on=["subject_type", "subject_code"],
        )
        .filter((pl.col("valid_from") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_end")))
        .group_by("report_no")
        .agg(pl.col("duty_reporter").first())
    )
    return (
        reports.join(printed, on="report_no", how="left", maintain_order="left")
        .join(on_duty, on="report_no", how="left", maintain_order="left")
        .with_columns(reporter_key=pl.coalesce("printed_reporter", "duty_reporter", "organization_key"))
        .drop("printed_reporter", "duty_reporter")
    )
