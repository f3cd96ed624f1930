"""Whether those who sent reports for others are of the kind that the form says files it."""

import polars as pl

from ingestion.findings import Finding
from ingestion.form import Form


def findings(reports: pl.DataFrame, versions: pl.DataFrame, form: Form) -> list[Finding]:
    """Reports that another unit than their own filed, of a class that does not file this form.

    ``reports``: placed reports; ``versions``: the units of the directory, spell by spell.
    """
    if not form.reporter_classes:
        return []
    sent = reports.filter(pl.col("reporter_key").is_not_null() & pl.col("subject_code").is_not_null()).select(
        "report_no", "sheet", "subject_code", "organization_key", "reporter_key", "period_end"
    )
    by_others = sent.filter(pl.col("reporter_key").ne_missing(pl.col("organization_key")))
    if by_others.is_empty():
        return []
    files_it = pl.any_horizontal([pl.col("class_code").str.starts_with(one) for one in form.reporter_classes])
    strange = (
        by_others.join(
            versions.select(
                "valid_from",
                "valid_to",
                "class_code",
                reporter="organization_code",
                reporter_key="organization_key",
            ),
            on="reporter_key",
        )
        .filter((pl.col("valid_from") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_end")))
        .filter(pl.col("class_code").is_not_null() & ~files_it)
    )
    return [
        Finding(
            rule_id="REPORTER_CLASS_OTHER",
            level="unit",
            severity="soft",
            report_no=row["report_no"],
            sheet=row["sheet"],
            value=row["reporter"],
            message_zh=f"{row['subject_code']}的报表由{row['reporter']}（类别{row['class_code']}）报送，《{form.name_zh}》规定的"
            f"填报单位是：{form.filed_by or '、'.join(form.reporter_classes)}；请核对填报单位或机构目录",
            message_en=f"{row['reporter']} of class {row['class_code']} sent the report of {row['subject_code']};"
            f" {form.code} is filed for others by units of {', '.join(form.reporter_classes)};"
            " check the reporter, or the directory",
        )
        for row in strange.iter_rows(named=True)
    ]
