"""Reports and members that stand twice in a file, and periods that a series in it leaves out."""

import datetime as dt

import polars as pl

from ingestion.findings import Finding, cell_name
from ingestion.form import Form

# So many periods of a subject in one file are a series.
_SERIES = 3


def repeated(form: Form, rows: pl.DataFrame, reports: pl.DataFrame, *, wide: bool) -> list[Finding]:
    """The same report, or the same member of one, at two places of the file."""
    breakdowns = [] if wide else [f.code for f in form.breakdowns]
    if form.cards or (not breakdowns and not wide and rows.height == reports.height):
        return []
    places = rows.select("report_no", *breakdowns, "source_sheet", "source_row", "source_column")
    if wide:
        places = places.drop("source_column").unique(maintain_order=True).with_columns(source_column=None)
    keys = ["report_no", *breakdowns]
    again = (
        places.group_by(keys, maintain_order=True)
        .agg(pl.len().alias("times"), pl.col("source_sheet", "source_row", "source_column"))
        .filter(pl.col("times") > 1)
        .join(
            reports.select("report_no", "subject_ref", "period_start"), on="report_no", maintain_order="left"
        )
    )
    findings = []
    for row in again.iter_rows(named=True):
        where = list(zip(row["source_sheet"], row["source_row"], row["source_column"], strict=True))
        spots_zh = "、".join(_spot_zh(*place) for place in where)
        spots_en = ", ".join(_spot_en(*place) for place in where)
        period = _period_text(form, row["period_start"])
        members = "/".join(str(row[code]) for code in breakdowns)
        findings.append(
            Finding(
                rule_id="MEMBER_TWICE_IN_REPORT" if breakdowns else "REPORT_TWICE_IN_FILE",
                level="report",
                severity="hard",
                message_zh=f"“{row['subject_ref']}”{period}的{f'“{members}”' if members else '报告'}在文件中出现"
                f"{row['times']}次：{spots_zh}；请核对其中是否有一行期别或单位填错，只保留一行",
                message_en=f"the {f'member {members}' if members else 'report'} of {row['subject_ref']} for {period} "
                f"stands {row['times']} times in the file: {spots_en}; correct or remove all but one",
                report_no=row["report_no"],
                sheet=where[0][0],
                cell=cell_name(where[-1][1] or 1, 1 if where[-1][1] else where[-1][2] or 1),
                breakdown=members or None,
            )
        )
    return findings


def _spot_zh(sheet: str, row: int | None, column: int | None) -> str:
    place = f"第{row}行" if row is not None else f"第{column}列" if column is not None else ""
    return f"工作表“{sheet}”{place}" if sheet else place


def _spot_en(sheet: str, row: int | None, column: int | None) -> str:
    place = f"row {row}" if row is not None else f"column {column}" if column is not None else ""
    return f"sheet {sheet!r} {place}".strip() if sheet else place


def gaps(form: Form, reports: pl.DataFrame) -> list[Finding]:
    """Periods that a series in one file leaves out."""
    months = {"month": 1, "quarter": 3, "year": 12, "mch_year": 12}.get(form.period.type)
    if months is None or reports.height < _SERIES:
        return []
    month_no = pl.col("period_start").dt.year().cast(pl.Int64) * 12 + pl.col("period_start").dt.month()
    incomplete = (
        reports.with_columns((month_no // months).alias("number"))
        .group_by("subject_ref", maintain_order=True)
        .agg(pl.col("number").unique().sort(), pl.col("period_start").min(), pl.col("source_sheet").first())
        .filter(
            (pl.col("number").list.len() >= _SERIES)
            & (pl.col("number").list.max() - pl.col("number").list.min() + 1 > pl.col("number").list.len())
        )
    )
    findings = []
    for subject, numbers, first, sheet in incomplete.iter_rows():
        lacking = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
        names = [_period_text(form, _months_later(first, (n - numbers[0]) * months)) for n in lacking]
        findings.append(
            Finding(
                rule_id="PERIOD_MISSING_IN_SERIES",
                level="file",
                severity="soft",
                message_zh=f"“{subject}”的连续报告缺少：{'、'.join(names)}；请补报或核对期别",
                message_en=f"the series of {subject} lacks {', '.join(names)}",
                sheet=sheet,
                value=names[0],
            )
        )
    return findings


def _months_later(day: dt.date, months: int) -> dt.date:
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month0 + 1)


def _period_text(form: Form, start: object) -> str:
    text = str(start)
    if form.period.type == "month":
        return text[:7]
    if form.period.type == "year":
        return text[:4]
    if form.period.type == "mch_year":
        return f"{int(text[:4]) + 1}年度"
    return text
