"""Which reports lie in which file: who sends what in which habit, when it comes, what is late and what is amended."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from ingestion.form import CodeList, FormField
from samples import labels
from samples.generator import tables
from samples.generator.draws import stream
from samples.generator.reports import KEY, Reports
from samples.generator.tables import Sheet
from samples.generator.world import CONSTRUCTED, PREFECTURE_NAME, World
from samples.writers import Delivery

Format = Literal["mixed", "csv", "parquet"]
What = Literal["on time", "late", "amendment"]

SHANGHAI = ZoneInfo("Asia/Shanghai")
LANES = {
    "hospital": (
        "hosp_monthly", "inst_annual_hospital", "inst_annual_phc", "bphs_quarterly", "contract_monthly",
        "inpatient_front_page", "staff_register",
    ),
    "nursery": ("childcare_quarterly",),
    "cdc": ("idr_monthly", "epi_monthly", "smi_quarterly", "tb_quarterly", "hiv_test_monthly", "idr_card"),
    "mch": (
        "mch_maternal_quarterly", "mch_child_quarterly", "mch_maternal_annual", "mch_child_annual",
        "newborn_screening_monthly", "women_screening_annual",
    ),
    "bureau": ("population_denominators", "finance_annual"),
}  # fmt: skip
LANE_OF = {form: lane for lane, forms in LANES.items() for form in forms}
COLLECTED_BY_PLACE = (
    "hosp_monthly",
    "inst_annual_hospital",
    "inst_annual_phc",
    "bphs_quarterly",
    "epi_monthly",
    "contract_monthly",
)
"""Forms that the bureau of each place collects in a file of its own; of the others one file holds all."""
TOLD_LATE, LATE_DAYS = 0.012, (4, 40)
AMENDED, AMENDED_DAYS = 0.008, (35, 100)
HABITS = ("xlsx", "csv", "xls", "zip", "csv_bom")
USUAL_DAYS = 15
"""Days after the period's end at which a form without a due date is sent."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of the files of one batch: the path, and the reports in it."""

    form: str
    path: str
    subject: str
    start: date
    end: date
    what: What
    received_on: date


def late_and_amended(world: World, reports: Reports, struck: set[tuple[str, date, date]]) -> pl.DataFrame:
    """The reports of a form that come late or are amended later: subject, start, end, what, days after the due date.

    Reports with an error of entry (``struck``) are neither: each has one peculiarity.
    """
    keys = reports.frame.select(KEY).unique(maintain_order=True)
    rng = stream(world.options.seed, f"delivery {reports.form}")
    drawn = rng.random(len(keys))
    late_by = rng.integers(*LATE_DAYS, len(keys))
    amended_by = rng.integers(*AMENDED_DAYS, len(keys))
    amendable = reports.form == "hosp_monthly"
    rows = [
        (*key, "late" if p < TOLD_LATE else "amendment", int(late if p < TOLD_LATE else amended))
        for key, p, late, amended in zip(keys.iter_rows(), drawn, late_by, amended_by, strict=True)
        if (p < TOLD_LATE or (amendable and p < TOLD_LATE + AMENDED)) and key not in struck
    ]
    schema = pl.Schema({**keys.schema, "what": pl.String(), "days": pl.Int64()})
    return pl.DataFrame(rows, schema=schema, orient="row")


def deliver(
    world: World, reports: Reports, peculiar: pl.DataFrame, file_format: Format
) -> Iterator[tuple[Delivery, list[Sent]]]:
    """Files of a form, each with the reports that it holds.

    ``peculiar`` comes from :func:`late_and_amended`. An amended report lies in the usual file as it was first sent, and
    as it should be in a later one.
    """
    frame = reports.frame.join(peculiar, on=KEY, how="left", maintain_order="left")
    amendments = frame.filter(pl.col("what") == "amendment")
    late = frame.filter(pl.col("what") == "late")
    usual = frame.filter(pl.col("what").is_null() | (pl.col("what") == "amendment"))
    usual = _as_first_sent(usual)
    if file_format == "mixed":
        by = ["place", *KEY[1:]] if reports.form in COLLECTED_BY_PLACE else list(KEY[1:])
        batches = usual.partition_by(by, maintain_order=True)
    else:
        batches = [batch for _, batch in usual.group_by(pl.col("end").dt.year(), maintain_order=True)]
    for batch in batches:
        yield _file(world, reports.form, batch, "on time", file_format)
    others: tuple[tuple[What, pl.DataFrame], ...] = (("late", late), ("amendment", amendments))
    for what, rest in others:
        for batch in rest.partition_by("place", *KEY, maintain_order=True) if len(rest) else []:
            yield _file(world, reports.form, batch, what, file_format)


def _as_first_sent(frame: pl.DataFrame) -> pl.DataFrame:
    """Reports that will be amended, without the visits of a clinic that was forgotten; all others as they are."""
    if "revenue_outpatient" not in frame.columns:
        return frame
    amended = (pl.col("what") == "amendment").fill_null(value=False)
    visits = (pl.col("visits_total") * 0.04).floor().cast(pl.Int64)
    money = (pl.col("revenue_outpatient") * 0.04).round(1)
    less = {
        "visits_total": visits,
        "visits_outpatient_emergency": visits,
        "revenue_outpatient": money,
        "revenue_medical": money,
    }
    return frame.with_columns(
        pl.when(amended)
        .then((pl.col(name) - amount).round(1).cast(frame.schema[name]))
        .otherwise(pl.col(name))
        .alias(name)
        for name, amount in less.items()
    )


def _file(
    world: World, form: str, batch: pl.DataFrame, what: What, file_format: Format
) -> tuple[Delivery, list[Sent]]:
    first, last = batch.select(pl.col("start").min(), pl.col("end").max()).row(0)
    received = _due(form, last) + timedelta(days=-2 if what == "on time" else int(batch["days"][0]))
    place = int(batch["place"][0])
    of_place = file_format == "mixed" and form in COLLECTED_BY_PLACE
    habit = _habit(form, place if of_place else -1, file_format)
    sender = (
        batch["name"][0]
        if what != "on time"
        else _sender(world, place, last)
        if of_place
        else PREFECTURE_NAME
    )
    words = {"late": "_补报", "amendment": "_订正"}.get(what, "")
    stem = f"{_period_text(form, first, last, 'compact') if len(batch['end'].unique()) == 1 else last.year}"
    name = f"构造_{labels.form(form).name_zh}_{sender}_{stem}{words}".replace("/", "、")
    content, suffix = _content(form, batch, habit, name)
    path = f"{LANE_OF[form]}/{form}/{last.year}/{name}.{suffix}"
    moment = datetime.combine(received, time(16, 20), SHANGHAI)
    sent = [
        Sent(form, path, subject, start, end, what, received)
        for subject, start, end in batch.select(KEY).unique(maintain_order=True).iter_rows()
    ]
    return Delivery(path, content, moment), sent


def _habit(form: str, place: int, file_format: Format) -> str:
    if file_format == "csv":
        return "csv_bom"
    if file_format == "parquet":
        return "parquet"
    return HABITS[(place + 1 + zlib.crc32(form.encode())) % len(HABITS)]


def _sender(world: World, place: int, day: date) -> str:
    own = world.districts(place)[0].name
    district = world.district(place, day).name
    # Two places of one district go on collecting apart.
    return own if own == district else f"{district}（原{own}）"


def _due(form: str, end: date) -> date:
    return labels.form(form).due_on(end) or end + timedelta(days=USUAL_DAYS)


def _content(form: str, batch: pl.DataFrame, habit: str, name: str) -> tuple[bytes, str]:
    if habit == "xlsx":
        return tables.as_xlsx(_template(form, batch)), "xlsx"
    style = {"csv": "compact", "xls": "chinese", "zip": "dash", "csv_bom": "dash", "parquet": "dash"}[habit]
    sheet = _plain(form, batch, style, titles=[] if habit == "parquet" else [CONSTRUCTED])
    if habit == "csv":
        return tables.as_csv(sheet, "gb18030"), "csv"
    if habit == "csv_bom":
        return tables.as_csv(sheet, "utf-8-sig"), "csv"
    if habit == "xls":
        return tables.as_xls(sheet), "xls"
    if habit == "zip":
        return tables.as_zip({f"{name}.csv": tables.as_csv(sheet, "utf-8")}), "zip"
    return tables.as_parquet(sheet), "parquet"


def _template(form: str, batch: pl.DataFrame) -> Sheet:
    """The official layout: title rows with the period, sections above the columns; only one period a file."""
    periods = batch.select("start", "end").unique()
    if len(periods) > 1:
        return _plain(form, batch, "dash", titles=[CONSTRUCTED])
    start, end = periods.row(0)
    fields = _fields(form, batch)
    definition = labels.form(form)
    code, name = _identity(form)
    heads = [code, name]
    known = labels.columns(form)
    rows = batch.select(
        pl.col("subject"), pl.col("name"), *[_cells(known[field], definition.code_lists) for field in fields]
    )
    return Sheet(
        [known[field].labels[0] for field in (*heads, *fields)],
        rows,
        sections=[None, None, *(known[field].section for field in fields)]
        if any(known[field].section for field in fields)
        else None,
        titles=[CONSTRUCTED, definition.name_zh, f"统计期：{_period_text(form, start, end, 'chinese')}"],
    )


def _plain(form: str, batch: pl.DataFrame, style: str, *, titles: Sequence[str]) -> Sheet:
    """One header row with labels that stand alone, the period in a column."""
    fields = _fields(form, batch)
    definition = labels.form(form)
    known = labels.columns(form)
    code, name = _identity(form)
    period = definition.period.fields[0]
    spans = batch.select("start", "end").unique()
    texts = pl.DataFrame(
        [(start, end, _period_text(form, start, end, style)) for start, end in spans.iter_rows()],
        schema={"start": pl.Date, "end": pl.Date, "period": pl.String},
        orient="row",
    )
    rows = batch.join(texts, on=["start", "end"], how="left", maintain_order="left").select(
        pl.col("subject"), pl.col("name"), pl.col("period"),
        *[_cells(known[field], definition.code_lists) for field in fields],
    )  # fmt: skip
    return Sheet([labels.alone(known[field]) for field in (code, name, period, *fields)], rows, titles=titles)


def _fields(form: str, batch: pl.DataFrame) -> list[str]:
    known = labels.columns(form)
    return [field for field in known if field in batch.columns and not batch[field].is_null().all()]


def _identity(form: str) -> tuple[str, str]:
    """The fields that carry the subject's code and its name."""
    subject = labels.form(form).subject
    return subject.identify_by[0], subject.name or subject.identify_by[-1]


def _cells(field: FormField, code_lists: dict[str, CodeList]) -> pl.Expr:
    """Numbers as they are, codes of a list as their first labels."""
    if field.code_list is None:
        return pl.col(field.code)
    codes = code_lists[field.code_list].codes
    return pl.col(field.code).replace_strict({code.code: code.labels[0] for code in codes}, default=None)


def _period_text(form: str, start: date, end: date, style: str) -> str:
    """A period in one of the ways in which people write it."""
    kind = labels.form(form).period.type
    if kind == "month":
        return {
            "compact": f"{start:%Y%m}", "chinese": f"{start.year}年{start.month}月", "dash": f"{start:%Y-%m}"
        }[style]  # fmt: skip
    if kind in ("quarter", "cumulative_quarter"):
        return f"{end.year}年第{end.month // 3}季度"
    if style == "chinese":
        return f"{end.year}年度" if kind == "mch_year" else f"{end.year}年"
    return str(end.year)
