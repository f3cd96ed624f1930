"""Which unit of the directory a report means: by code, by national identifiers, or by name, as of its period."""

import difflib
from typing import Any

import polars as pl

from ingestion.findings import Finding, Severity
from ingestion.form import Form
from ingestion.unit_history import ATTRIBUTES

NEAREST = 3
"""How many similar names a finding about an unknown unit offers."""

OFFERED = 20
"""For how many unknown units of one file similar names are looked up."""

REGION_CODE = r"^[0-9]{6}([0-9]{3}|[0-9]{6})?$"

_KINDS = ("organization_code", "uscc", "org_code_22", "org_code_9", "name_zh")
_NAME = _KINDS.index("name_zh")


def normalised(column: pl.Expr) -> pl.Expr:
    """Text by which names and codes are compared: full-width forms folded, no spaces, capital letters."""
    return column.str.normalize("NFKC").str.replace_all(r"\s", "").str.to_uppercase()


def identifiers(versions: pl.DataFrame) -> pl.DataFrame:
    """Every code and name by which a unit can be called, with the spell in which it was right.

    Columns: ident, rank (the kind: a code counts for more than a name), organization_key, organization_code,
    valid_from, valid_to.
    """
    spell = ["organization_key", "organization_code", "valid_from", "valid_to"]
    kinds = versions.with_columns(
        org_code_9=pl.coalesce(pl.col("org_code_22").str.head(9), pl.col("uscc").str.slice(8, 9))
    )
    return pl.concat(
        [
            kinds.select(*spell, ident=normalised(pl.col(kind)), rank=pl.lit(rank, pl.Int8))
            for rank, kind in enumerate(_KINDS)
        ]
    ).filter(pl.col("ident").is_not_null() & (pl.col("ident") != ""))


def resolve(wanted: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Find the units for ``wanted`` (subject_ref, period_start, period_end; one row each).

    ``known`` comes from :func:`identifiers`. Adds organization_key and organization_code (null when unknown
    or ambiguous), ``in_period`` (the identifier was right in the period) and ``candidates`` (how many units
    it fits equally well).
    """
    keys = ["subject_ref", "period_start", "period_end"]
    best = (
        wanted.select(keys)
        .unique()
        .with_columns(ident=normalised(pl.col("subject_ref")))
        .join(known, on="ident", how="inner")
        .with_columns(
            in_period=(pl.col("valid_from") <= pl.col("period_end"))
            & (pl.col("valid_to") > pl.col("period_start"))
        )
        .with_columns(score=pl.col("rank") + pl.when(pl.col("in_period")).then(0).otherwise(len(_KINDS)))
        .filter(pl.col("score") == pl.col("score").min().over(keys))
        .group_by(keys)
        .agg(
            organization_key=pl.col("organization_key").min(),
            organization_code=pl.col("organization_code").min(),
            in_period=pl.col("in_period").first(),
            candidates=pl.col("organization_key").n_unique(),
        )
        .with_columns(
            pl.when(pl.col("candidates") == 1).then(pl.col(name)).name.keep()
            for name in ("organization_key", "organization_code")
        )
    )
    return wanted.join(best, on=keys, how="left", maintain_order="left").with_columns(
        pl.col("candidates").fill_null(0), pl.col("in_period").fill_null(value=False)
    )


def attributes(resolved: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """The units' attributes at the end of the period: what the rules of a form may ask about.

    Columns: subject_ref, period_start, period_end, organization_key, organization_code, is_open, the attributes. A unit
    whose history begins later has the attributes of its beginning.
    """
    placed = (
        resolved.filter(pl.col("organization_key").is_not_null())
        .select("subject_ref", "period_start", "period_end", "organization_key")
        .unique()
    )
    first = pl.col("valid_from") == pl.col("valid_from").min().over("organization_key")
    return (
        placed.join(
            versions.with_columns(
                begins=pl.when(first).then(pl.date(1, 1, 1)).otherwise(pl.col("valid_from"))
            ),
            on="organization_key",
        )
        .filter((pl.col("begins") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_end")))
        .select(
            "subject_ref",
            "period_start",
            "period_end",
            "organization_key",
            "organization_code",
            "valid_from",
            "is_open",
            *ATTRIBUTES,
        )
    )


def findings(reports: pl.DataFrame, known: pl.DataFrame) -> list[Finding]:
    """What is wrong with how reports name their units.

    ``reports``: report_no, sheet, subject_ref, subject_name, and the columns that :func:`resolve` adds, of
    reports on units only.
    """
    found: list[Finding] = []
    unknown = reports.filter(pl.col("organization_key").is_null())
    names = (
        known.filter(pl.col("rank") == _NAME).select("ident", "organization_code").unique()
        if len(unknown)
        else known
    )
    offers: dict[str, str] = {}
    for row in unknown.iter_rows(named=True):
        printed = row["subject_ref"] or row["subject_name"] or ""
        if row["candidates"] > 1:
            found.append(
                _of_unit(
                    row,
                    "UNIT_AMBIGUOUS",
                    "hard",
                    value=printed,
                    message_zh=f"“{printed}”在机构目录中对应{row['candidates']}个单位，请填写机构编码或统一社会信用代码",
                    message_en=f"{printed!r} fits {row['candidates']} units of the directory; give the unit's code",
                )
            )
            continue
        if printed not in offers:
            offers[printed] = _nearest(row["subject_name"] or printed, names) if len(offers) < OFFERED else ""
        offer = offers[printed]
        found.append(
            _of_unit(
                row,
                "UNIT_UNKNOWN",
                "hard",
                value=printed,
                message_zh=f"机构目录中没有“{printed}”"
                + (f"，相近的有：{offer}" if offer else "")
                + "；请核对名称和代码，确属新单位的请先登记机构目录",
                message_en=f"the directory has no unit {printed!r}"
                + (f"; similar: {offer}" if offer else "")
                + "; correct it, or register a new unit first",
            )
        )
    late = reports.filter(pl.col("organization_key").is_not_null() & ~pl.col("in_period"))
    found += [
        _of_unit(
            row,
            "UNIT_NAME_OUTDATED",
            "soft",
            value=row["subject_ref"],
            message_zh=f"“{row['subject_ref']}”不是{row['organization_code']}在报告期内的名称或代码，请核对",
            message_en=f"{row['subject_ref']!r} was not the name or code of {row['organization_code']} in the period",
        )
        for row in late.iter_rows(named=True)
    ]
    return found


def contradictions(reports: pl.DataFrame, known: pl.DataFrame) -> list[Finding]:
    """Reports whose code means one unit and whose printed name means another."""
    named = reports.filter(
        pl.col("subject_name").is_not_null()
        & pl.col("organization_key").is_not_null()
        & (pl.col("subject_name") != pl.col("subject_ref"))
    )
    if named.is_empty():
        return []
    by_name = resolve(
        named.select("report_no", pl.col("subject_name").alias("subject_ref"), "period_start", "period_end"),
        known.filter(pl.col("rank") == _NAME),
    )
    other = named.join(
        by_name.select("report_no", named_key="organization_key", named_code="organization_code"),
        on="report_no",
    ).filter(pl.col("named_key").is_not_null() & (pl.col("named_key") != pl.col("organization_key")))
    return [
        _of_unit(
            row,
            "UNIT_CONTRADICTION",
            "hard",
            value=row["subject_name"],
            message_zh=f"代码“{row['subject_ref']}”是{row['organization_code']}，名称“{row['subject_name']}”"
            f"却是{row['named_code']}，请核对",
            message_en=f"code {row['subject_ref']!r} is unit {row['organization_code']}, but the name"
            f" {row['subject_name']!r} is unit {row['named_code']}",
        )
        for row in other.iter_rows(named=True)
    ]


def regions(reports: pl.DataFrame) -> list[Finding]:
    """Reports on regions (report_no, sheet, subject_ref) that name theirs by anything but a code.

    Names of regions move from code to code, so none stands for one; and what no region is would hold up a release.
    """
    return [
        _of_unit(
            row,
            "UNIT_UNKNOWN",
            "hard",
            value=row["subject_ref"],
            message_zh=f"“{row['subject_ref']}”不是行政区划代码，请在地区代码一栏填写6位（或9、12位）代码",
            message_en=f"{row['subject_ref']!r} is no region code; give the code of 6 (or 9, 12) digits",
        )
        for row in reports.filter(~is_region_code(pl.col("subject_ref"))).iter_rows(named=True)
    ]


def is_region_code(column: pl.Expr) -> pl.Expr:
    """Whether a text is an administrative code: county and above, township, village."""
    return column.str.contains(REGION_CODE).fill_null(value=False)


def canonical_region(column: pl.Expr) -> pl.Expr:
    """A region's code as the registry keeps it (see :func:`ingestion.site.canonical_region`)."""
    return column.str.replace(r"^([0-9]{6})(?:0{3}|0{6})$", "${1}").str.replace(r"^([0-9]{9})0{3}$", "${1}")


def region_prefix(code: pl.Expr) -> pl.Expr:
    """What the codes of everything in a region begin with: 44 for a province, 4405 for a city, all of a county's."""
    return (
        pl.when(code == "000000")
        .then(pl.lit(""))
        .when(code.str.contains(r"^[0-9]{2}0000$"))
        .then(code.str.head(2))
        .when(code.str.contains(r"^[0-9]{4}00$"))
        .then(code.str.head(4))
        .otherwise(code)
    )


def closed(reports: pl.DataFrame, units: pl.DataFrame) -> list[Finding]:
    """Reports of units that the directory has as closed for the whole period."""
    keys = ["subject_ref", "period_start", "period_end"]
    shut = reports.join(
        units.filter(~pl.col("is_open") & (pl.col("valid_from") <= pl.col("period_start"))).select(keys),
        on=keys,
        how="semi",
    )
    return [
        _of_unit(
            row,
            "UNIT_CLOSED",
            "soft",
            value=row["subject_ref"],
            message_zh=f"机构目录显示{row['organization_code']}在报告期前已停业，请核对报告期或机构目录",
            message_en=f"the directory has {row['organization_code']} closed before the period",
        )
        for row in shut.iter_rows(named=True)
    ]


def of_other_classes(reports: pl.DataFrame, units: pl.DataFrame, form: Form) -> list[Finding]:
    """Reports of units of classes that do not file this form."""
    if not form.subject.classes:
        return []
    keys = ["subject_ref", "period_start", "period_end"]
    files_it = pl.any_horizontal([pl.col("class_code").str.starts_with(one) for one in form.subject.classes])
    other = reports.join(
        units.filter(pl.col("class_code").is_not_null() & ~files_it).select(*keys, "class_code"), on=keys
    )
    return [
        _of_unit(
            row,
            "UNIT_CLASS_OTHER",
            "soft",
            value=row["class_code"],
            message_zh=f"{row['organization_code']}在机构目录中的类别是{row['class_code']}，这类单位不报《{form.name_zh}》，"
            "请核对所用报表或机构目录",
            message_en=f"{row['organization_code']} is of class {row['class_code']}, which does not file {form.code};"
            " check the form, or the directory",
        )
        for row in other.iter_rows(named=True)
    ]


def without_duty(reports: pl.DataFrame, duties: pl.DataFrame, form: Form) -> list[Finding]:
    """Reports that nobody has to file for their subject, where the duties of the form are known."""
    of_form = duties.filter(pl.col("form_code") == form.code)
    known = reports.filter(pl.col("subject_code").is_not_null())
    if of_form.is_empty() or known.is_empty():
        return []
    holds = (pl.col("valid_from") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_start"))
    on_duty = known.join(of_form, on=["subject_type", "subject_code"]).filter(holds)
    lacking = known.join(on_duty.select("report_no"), on="report_no", how="anti")
    if lacking.is_empty():
        return []
    # A period for which no duty of the form is known lies before the duties were written down.
    periods = ["period_start", "period_end"]
    spans = lacking.select(periods).unique().join(of_form, how="cross").filter(holds).select(periods).unique()
    lacking = lacking.join(spans, on=periods, how="semi")
    return [
        _of_unit(
            row,
            "UNIT_WITHOUT_DUTY",
            "soft",
            value=row["subject_ref"],
            message_zh=f"应报任务中没有{row['subject_code']}报送《{form.name_zh}》的任务，请核对报表种类和报告期，"
            "或补登应报任务（分支机构由上级机构合并上报）",
            message_en=f"no duty has {row['subject_code']} file {form.code} for this period; check form and period, or"
            " add the duty (a branch is in its parent's report)",
        )
        for row in lacking.iter_rows(named=True)
    ]


def _nearest(printed: str, names: pl.DataFrame) -> str:
    codes = dict(zip(names["ident"], names["organization_code"], strict=True))
    near = difflib.get_close_matches(printed.upper(), codes, n=NEAREST, cutoff=0.5)
    return "、".join(f"{name}（{codes[name]}）" for name in near)


def _of_unit(
    row: dict[str, Any],
    rule_id: str,
    severity: Severity,
    *,
    value: str,
    message_zh: str,
    message_en: str,
) -> Finding:
    return Finding(
        rule_id=rule_id,
        level="unit",
        severity=severity,
        report_no=row["report_no"],
        sheet=row["sheet"],
        value=value,
        message_zh=message_zh,
        message_en=message_en,
    )
