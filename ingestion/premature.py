"""Reports for a time that has not come yet: mostly a year or a month that was typed wrong."""

from dataclasses import replace
from datetime import date

import polars as pl

from ingestion.findings import Finding
from ingestion.items import Filing
from warehouse.settings import get_settings


def with_findings(filing: Filing) -> Filing:
    """The filing with what is found of reports that came too early."""
    zone = get_settings().timezone
    received_on, registered_on = filing.arrival.received_on(zone), filing.arrival.registered_on(zone)
    return replace(
        filing,
        groups=[
            replace(group, findings=[*group.findings, *found])
            if (found := findings(group.reports, received_on, registered_on))
            else group
            for group in filing.groups
        ],
    )


def findings(reports: pl.DataFrame, received_on: date, registered_on: date) -> list[Finding]:
    """Reports whose period begins after the day on which they came.

    A report of a period that has not begun by our own clock (``registered_on``) says nothing that can have happened: it
    waits. ``received_on`` is only what its file says, which a copy with a wrong clock may have set: beside that one it
    is told and counts. ``reports``: placed reports. Forms of events have no period that begins.
    """
    latest = reports["period_start"].max() if reports.height else None
    if not isinstance(latest, date) or latest <= received_on:
        return []
    early = reports.filter((pl.col("period_start") > received_on) & (pl.col("period_type") != "event"))
    return [
        Finding(
            rule_id="PERIOD_NOT_BEGUN",
            level="report",
            severity="hard" if row["period_start"] > registered_on else "soft",
            report_no=row["report_no"],
            sheet=row["sheet"],
            value=str(row["period_start"]),
            message_zh=f"统计期自{row['period_start']}开始，收到时（{received_on}）尚未到；请核对年份和月份",
            message_en=f"the period begins on {row['period_start']}, after the report was received ({received_on});"
            " check year and month",
        )
        for row in early.select("report_no", "sheet", "period_start").iter_rows(named=True)
    ]
