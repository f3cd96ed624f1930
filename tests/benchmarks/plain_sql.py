"""Tables that dbt builds, beside the same rows by plain SQL: a table made from a select, its key, its indexes."""

import time
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from ingestion.form import Form
from ingestion.forms_catalogue import load_forms
from tests.benchmarks import plain_indicators, same_indicators
from tests.benchmarks.measure import Ratio
from warehouse.building import BuildResult
from warehouse.settings import Settings

_UNITS = {("千元", "元"): 1000, ("万元", "元"): 10000}


@dataclass(frozen=True)
class Plain:
    """A table by hand: its select, the columns of its key, those of its other indexes."""

    select: str
    key: str
    indexes: tuple[str, ...]
    part: str = "true"
    """Which rows of the star's table these are."""


def compare(connection: Connection, settings: Settings, built: BuildResult) -> list[Ratio]:
    """Seconds of each table's model in the first build, beside the plain statement that gives the same rows.

    Same is as many, and the same sum of the hashes of all columns that both have. Of ``fct_indicator`` the plain
    statement makes a part: that stands beside the model's own statements over that part.
    """
    seconds = {model.name: model.seconds for model in built.models}
    ratios, more = [], []
    connection.execute(text("create schema if not exists plain"))
    for table, plain in _tables(connection).items():
        started = time.perf_counter()
        connection.execute(text(f"create table plain.{table} as {plain.select}"))
        connection.execute(text(f"alter table plain.{table} add primary key ({plain.key})"))
        for columns in plain.indexes:
            connection.execute(text(f"create index on plain.{table} ({columns})"))
        by_hand = time.perf_counter() - started
        connection.execute(text(f"analyze plain.{table}"))
        rows, said = _content(connection, f"plain.{table}", table, "true")
        assert (rows, said) == _content(connection, f"star.{table}", table, plain.part), table
        ours, told = seconds[table], f"{rows:,} rows"
        if plain.part != "true":
            made = connection.scalar(text(f"select count(*) from star.{table}"))
            what = f"build all of {table}, {made:,} rows: plain SQL of {rows:,} of them"
            more.append(Ratio(what, ours, by_hand, ""))
            ours, told = (
                same_indicators.build(connection, settings, plain.indexes),
                f"these {rows:,} rows alone",
            )
            assert (rows, said) == _content(connection, f"{same_indicators.SCHEMA}.{table}", table, "true"), (
                table
            )
        ratios.append(Ratio(f"build {table}, {told}: plain SQL", ours, by_hand, "1.3"))
    together = [
        sum(side) for side in zip(*((one.ours or 0, one.reference or 0) for one in ratios), strict=True)
    ]
    return [*ratios, Ratio("build these tables together: plain SQL", *together, "1.3"), *more]


def _content(connection: Connection, relation: str, table: str, part: str) -> tuple[int, Decimal]:
    """Rows, and the sum of their hashes over the columns that the plain table has."""
    columns = connection.scalars(
        text(
            "select attname from pg_attribute where attrelid = cast(:relation as regclass) and attnum > 0"
            " and not attisdropped order by attname"
        ),
        {"relation": f"plain.{table}"},
    )
    hashed = f"hash_record_extended(row({', '.join(columns)}), 0)"
    query = f"select count(*), coalesce(sum({hashed}::numeric), 0) from {relation} where {part}"
    rows, said = connection.execute(text(query)).one()
    return rows, said


def _tables(connection: Connection) -> dict[str, Plain]:
    by_period = ("period_start, region_code", "report_id")
    return {
        "fct_reported_value": Plain(
            _every_number(connection),
            "organization_key, report_id, field_code, breakdown",
            ("form_code, field_code, period_start", "report_id"),
        ),
        "fct_hospital_service": Plain(_HOSPITAL_SERVICE, "organization_key, report_id", by_period),
        "fct_immunisation": Plain(
            _IMMUNISATION, "organization_key, report_id, vaccine, dose_no, residence_class", by_period
        ),
        "fct_indicator": Plain(
            plain_indicators.MONTHLY,
            "subject_type, subject_code, indicator_code, slice, period_type, period_start, period_end",
            ("period_start, period_type", "indicator_code, subject_code, period_start"),
            plain_indicators.PART,
        ),
        "mart_indicator": Plain(
            plain_indicators.MART,
            "subject_type, subject_code, indicator_code, slice, period_type, period_start, period_end",
            ("period_start, period_type", "indicator_code, region_code, period_start"),
        ),
        "mart_institution_comparison": Plain(
            plain_indicators.COMPARISON,
            "organization_code, indicator_code, period_type, period_start",
            ("period_start, period_type",),
        ),
    }


def _every_number(connection: Connection) -> str:
    """One select a form that has reports, its numbers turned from columns into rows."""
    present = set(connection.scalars(text("select distinct form_code from registry.report")))
    return " union all ".join(
        _numbers_of(form) for code, form in load_forms().items() if code in present and form.cards is None
    )


def _numbers_of(form: Form) -> str:
    values = ", ".join(
        f"('{field.code}', (r.{field.code} * {_UNITS.get((field.source_unit or '', field.unit or ''), 1)})::numeric)"
        for field in form.measures
    )
    breakdown = " || '|' || ".join(f"coalesce(r.{field.code}, '')" for field in form.breakdowns)
    breakdown = breakdown or "case when r.record_no > 1 then '#' || r.record_no else '' end"
    return f"""
        select
            coalesce(p.organization_key, v.reporter_key, 0) as organization_key, p.report_id, p.form_code,
            cell.field_code, {breakdown} as breakdown, p.subject_type, p.subject_code,
            coalesce(case when p.subject_type = 'region' then p.subject_code end, o.region_code) as region_code,
            p.period_type, p.period_start, p.period_end, cell.value,
            r.null_reasons ->> cell.field_code as null_reason, v.revision_id, r.source_sheet,
            registry.cell_name(
                coalesce(r.source_row + place.source_row, r.source_row, place.source_row),
                coalesce(r.source_column + place.source_column, r.source_column, place.source_column)
            ) as source_cell, 1 as release_from, 2147483647 as release_to
        from registry.report p
        join registry.revision v on v.revision_id = p.current_revision_id
        join raw.{form.code} r on r.revision_id = p.current_revision_id
        cross join lateral (values {values}) as cell (field_code, value)
        left join star.dim_organization o on o.organization_key = p.organization_key
            and p.subject_type = 'organization' and p.period_end >= o.applies_from and p.period_end < o.valid_to
        left join registry.field_position place on place.arrival_id = v.arrival_id
            and place.sheet = r.source_sheet and place.field_code = cell.field_code
        where p.form_code = '{form.code}' and (cell.value is not null or r.null_reasons ->> cell.field_code is not null)
    """


_AT_THE_END = """
    left join star.dim_organization o on o.organization_key = p.organization_key
        and p.period_end >= o.applies_from and p.period_end < o.valid_to
"""

_HOSPITAL_SERVICE = f"""
    select
        p.organization_key, o.organization_version_key, o.region_code, p.report_id, p.form_code, p.period_type,
        p.period_start, p.period_end, coalesce(m.visits_total, h.visits_total, c.visits_total) as visits_total,
        coalesce(h.visits_outpatient, c.visits_outpatient) as visits_outpatient,
        coalesce(h.visits_emergency, c.visits_emergency) as visits_emergency, m.visits_outpatient_emergency,
        coalesce(m.visits_by_appointment, h.visits_by_appointment, c.visits_by_appointment) as visits_by_appointment,
        coalesce(h.visits_home, c.visits_home) as visits_home,
        coalesce(h.visits_internet, c.visits_internet) as visits_internet,
        coalesce(h.observation_cases, c.observation_cases) as observation_cases, m.proxy_clinic_visits,
        m.proxy_village_clinic_visits, m.proxy_station_visits,
        coalesce(h.health_checks, c.health_checks) as health_checks,
        coalesce(h.admissions, c.admissions) as admissions,
        coalesce(m.discharges, h.discharges, c.discharges) as discharges,
        coalesce(h.discharges_to_primary, c.discharges_to_primary) as discharges_to_primary,
        coalesce(m.inpatient_deaths, h.inpatient_deaths, c.inpatient_deaths) as inpatient_deaths,
        coalesce(h.inpatient_surgeries, c.inpatient_surgeries) as inpatient_surgeries, m.pathway_discharges,
        coalesce(m.bed_days_open, h.bed_days_open, c.bed_days_open) as bed_days_open,
        coalesce(m.bed_days_occupied, h.bed_days_occupied, c.bed_days_occupied) as bed_days_occupied,
        coalesce(m.bed_days_of_discharged, h.bed_days_of_discharged, c.bed_days_of_discharged)
            as bed_days_of_discharged,
        m.proxy_org_count, m.pathway_diseases, m.case_payment_diseases, 1 as release_from, 2147483647 as release_to
    from registry.report p
    left join raw.hosp_monthly m on m.revision_id = p.current_revision_id
    left join raw.inst_annual_hospital h on h.revision_id = p.current_revision_id
    left join raw.inst_annual_phc c on c.revision_id = p.current_revision_id
    {_AT_THE_END}
    where p.form_code in ('hosp_monthly', 'inst_annual_hospital', 'inst_annual_phc')
        and p.current_revision_id is not null
"""

_IMMUNISATION = f"""
    select
        p.organization_key, o.organization_version_key, o.region_code, p.report_id, p.form_code, p.period_type,
        p.period_start, p.period_end,
        r.residence_class = '0' and count(*) over (partition by p.report_id, r.vaccine, r.dose_no) > 1 as is_subtotal,
        r.vaccine, r.dose_no, r.residence_class, r.units_due, r.units_reported, r.given_basic, r.given_basic_lt12m,
        r.hepb_birth_dose_timely, r.given_booster, r.certificates_due, r.certificates_done, r.aefi,
        r.population_last_year, r.births_last_year, r.due_basic, r.due_basic_lt12m, r.due_booster,
        1 as release_from, 2147483647 as release_to
    from registry.report p
    join raw.epi_monthly r on r.revision_id = p.current_revision_id
    {_AT_THE_END}
    where p.form_code = 'epi_monthly'
"""
