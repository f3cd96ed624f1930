"""Every declared check on the real star: silent on the sound sample, and loud when its own kind of damage is done."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, text

from expectations import gate
from expectations.catalogue import Catalogue, load
from expectations.generated import reconciliation
from expectations.scope import EVERYTHING, rebuilt
from expectations.validation import Auditor
from ingestion import directory, inbox, intake, obligations, raw
from ingestion.site import load_site
from samples.longhu import write
from warehouse import building, star
from warehouse.database import Role, engine, make_engine, url
from warehouse.release import Candidate, open_candidate
from warehouse.settings import Settings

ONE = "ctid = (select min(ctid) from star.{table} where {where})"
VISITS_YEAR = "indicator_code = 'total_visits' and period_type = 'year' and subject_type = 'region'"

# Damage done to the candidate's rows, by the check that must find it. ``T`` is the check's own table, and
# ``[…]`` one of its rows that meets a condition.
DAMAGE = {
    "dim_date.no_gap": "delete from T where date_key = '2015-06-15'",
    "dim_date.mch_year": "update T set mch_year = calendar_year where date_key = '2015-10-01'",
    "dim_date.covers_reports": "delete from T where date_key < '2015-03-01'",
    "dim_disease.no_overlap": 'insert into T select (jsonb_populate_record(t, \'{"valid_from": "2020-01-01"}\')).*'
    " from T as t where disease_code = '0100'",
    "dim_disease.class": "update T set disease_class = 'D' where disease_code = '0100'",
    "dim_disease.named": "update T set name_zh = null where disease_code = '0100'",
    "dim_disease.parent": "update T set parent_code = 'XX' where disease_code = '0100'",
    "dim_headline.known": "update T set indicator_code = 'nothing' where ordinal = 1",
    "dim_indicator.defined": "update T set unit = '' where indicator_code = 'admissions'",
    "dim_indicator.aggregation_class": "update T set aggregation_class = 'MEAN' where indicator_code = 'admissions'",
    "dim_indicator.denominator": "update T set denominator = '' where indicator_code = 'bed_occupancy_rate'",
    "dim_organization.version_key": "update T set organization_version_key = 1 where [organization_key > 0]",
    "dim_organization.spells_meet": "update T set valid_to = valid_to - 1 where [valid_to < '9999-12-31']",
    "dim_organization.applies": "update T set applies_from = valid_from + 1 where [applies_from = valid_from]",
    "dim_organization.complete": "delete from T where organization_key = 1",
    "dim_organization.class_group": "update T set class_group = 'clinic' where [true]",
    "dim_organization.ownership": "update T set ownership = null where [class_group = 'hospital']",
    "dim_organization.named": "update T set name_zh = null where [organization_key > 0]",
    "dim_organization.region": "update T set region_code = '999999' where [region_code is not null]",
    "dim_region.version_key": "update T set region_key = 1 where region_code like '4405%'",
    "dim_region.no_overlap": "update T set valid_to = '9999-12-31'"
    " where region_code = '440511' and valid_from < '2000-01-01'",
    "dim_region.spell": "update T set name_zh = null where region_code = '440507'",
    "dim_region.parent": "update T set parent_code = '449999' where region_code = '440507'",
    "dim_region.known": "update T set level = 'unknown' where region_code = '440507'",
    "dim_report.identity": "update T set period_start = '2015-01-01' where form_code = 'hosp_monthly'",
    "dim_report.current_revision": "delete from T where [revision_id is not null]",
    "dim_report.accepted": "update T set revision_id = (select min(revision_id) from registry.revision"
    " where status = 'quarantined') where [revision_id is not null]",
    "dim_report.status": "update T set revision_id = null where [status = 'accepted']",
    "dim_report.period": "update T set period_end = period_end + 1 where [period_type = 'month']",
    "dim_report.not_empty": "update T set value_count = 0 where [revision_id is not null]",
    "dim_report.not_from_the_future": "update T set received_at = '2014-12-31' where [revision_id is not null]",
    "dim_slice.tree": "update T set parent_slice = 'everything' where slice = 'hospital'",
    "fct_hospital_service.complete": "delete from T where [true]",
    "fct_hospital_service.reconciles": "update T set visits_total = visits_total + 1 where [visits_total is not null]",
    "fct_hospital_service.not_negative": "update T set nurses = -1 where [true]",
    "fct_hospital_service.version": "update T set organization_version_key = 1 where [true]",
    "fct_hospital_service.placed": "update T set region_code = null where [true]",
    "fct_hospital_service.staff_adds_up": "update T set staff_total = staff_total - 56 where [staff_total is not null]",
    "fct_hospital_service.technicians": "update T set doctors = staff_technical where [nurses > 0]",
    "fct_hospital_service.bed_use": "update T set bed_days_occupied = 2 * bed_days_open where [bed_days_open > 0]",
    "fct_hospital_service.open_beds": "update T set bed_days_open = 100 * bed_days_open where [bed_days_open > 0]",
    "fct_hospital_service.money_unit": "update T set revenue_medical = revenue_medical / 1000"
    " where [revenue_medical > 0 and visits_total > 1000]",
    "fct_hospital_service.annual_equals_months": "update T set visits_total = visits_total * 10"
    " where [form_code = 'hosp_monthly' and visits_total > 0]",
    "fct_hospital_service.closed": "update star.dim_organization set operating_status = 'closed'"
    " where class_group = 'hospital'",
    "fct_indicator.status": "update T set status = 'fine' where [true]",
    "fct_indicator.value_when_computed": "update T set value = 0 where [status <> 'computed']",
    "fct_indicator.subject": "update T set organization_key = 1 where [subject_type = 'region']",
    "fct_indicator.not_negative": "update T set numerator = -1 where [true]",
    "fct_indicator.counted_within_expected": "update T set reports_counted = reports_expected + 1 where [true]",
    "fct_indicator.known": "update T set region_code = '999999' where [true]",
    # What the plan prints: 76.5 % for hospitals, where its own parts give 69.2 %.
    "fct_indicator.recomputes": "update T set value = 76.5 where [indicator_code = 'bed_occupancy_rate'"
    " and slice = 'hospital' and status = 'computed']",
    "fct_indicator.parent_between_parts": "update T set value = 76.5 where indicator_code = 'bed_occupancy_rate'"
    " and slice = 'hospital' and period_type = 'year'",
    "fct_indicator.parts_within_whole": "update T set numerator = denominator + 1"
    " where [indicator_code = 'visit_share_hospital' and denominator > 0]",
    "fct_indicator.coverage": "update T set numerator = denominator + 1"
    " where [indicator_code = 'hospital_delivery_rate']",
    "fct_indicator.slices_add_up": f"update T set numerator = numerator - 28 where {VISITS_YEAR}"
    " and slice = 'hospital'",
    "fct_indicator.ownership_adds_up": f"update T set numerator = numerator - 1 where {VISITS_YEAR}"
    " and slice = 'public_hospital'",
    "fct_indicator.units_add_up": f"update T set numerator = numerator + 1 where {VISITS_YEAR} and slice = 'all'",
    "fct_indicator.months_add_up": f"update T set numerator = numerator + 1 where {VISITS_YEAR} and slice = 'hospital'",
    "fct_indicator.agrees_with_services": "update T set numerator = numerator + 1"
    f" where {VISITS_YEAR.replace('year', 'month')} and slice = 'primary_care'",
    "fct_indicator.agrees_with_maternal_care": "update T set numerator = 1 where indicator_code = 'maternal_deaths'",
    "fct_indicator.agrees_with_diseases": "update T set numerator = numerator + 1"
    " where indicator_code = 'notifiable_cases'",
    "fct_indicator.shares_use_totals": "update T set denominator = denominator + 1"
    " where indicator_code = 'visit_share_public_hospital' and period_type = 'year'",
    "fct_indicator.whole_numerators": "update T set numerator = numerator + 0.5 where [indicator_code = 'admissions']",
    "fct_indicator.reports_complete": f"update T set reports_counted = reports_expected - 1 where {VISITS_YEAR}",
    "fct_indicator.plausible": "update T set value = 765 where indicator_code = 'bed_occupancy_rate' and slice = 'all'",
    "fct_maternal_care.complete": "update T set report_id = 0",
    "fct_maternal_care.reconciles": "update T set live_births = live_births + 1",
    "fct_maternal_care.period": "update T set period_start = '2015-01-01'",
    "fct_maternal_care.within": "update T set live_births_in_hospital = live_births + 1",
    "fct_maternal_care.granularity": "update T set maternal_mortality = 1.26",
    "fct_notifiable_disease.complete": "delete from T where period_start = '2015-06-01'",
    "fct_notifiable_disease.reconciles": "update T set cases = cases + 1 where [cases > 0]",
    "fct_notifiable_disease.disease": "update T set disease_code = '9898' where [true]",
    "fct_notifiable_disease.in_force": "update T set disease_code = 'COVID19', cases = 1 where [true]",
    "fct_notifiable_disease.region": "update T set region_code = '999999' where [true]",
    "fct_notifiable_disease.not_negative": "update T set cases = -1 where [true]",
    "fct_notifiable_disease.subtotal": "update T set is_subtotal = false where [is_subtotal]",
    "fct_notifiable_disease.adds_up": "update T set cases = cases + 10 where [is_subtotal and cases > 0]",
    "fct_notifiable_disease.deaths": "update T set deaths = 3 * cases where [cases > 10]",
    "fct_report_timeliness.complete": "delete from T where [true]",
    "fct_report_timeliness.status": "update T set status = null where [true]",
    "fct_report_timeliness.consistent": "update T set status = 'missing' where [received_at is not null]",
    "fct_report_timeliness.due": "update T set due_on = period_end where [true]",
    "fct_report_timeliness.reporting_rate": "update T set status = 'missing' where period_start = '2015-03-01'",
    "fct_report_timeliness.on_time_rate": "update T set status = 'late' where period_start = '2015-03-01'",
    "fct_reported_value.value_or_reason": "update T set value = null where [value is not null]",
    "fct_reported_value.not_negative": "update T set value = -5 where [field_code = 'visits_total']",
    "fct_reported_value.whole": "update T set value = value + 0.5 where [field_code = 'visits_total']",
    "fct_reported_value.declared": "update T set field_code = 'unheard_of' where [true]",
    "fct_reported_value.report": "update T set period_start = '2014-01-01' where [true]",
    "fct_reported_value.revision": "update T set revision_id = 0 where [true]",
    "fct_reported_value.organization": "update T set organization_key = 9999 where [true]",
    "fct_reported_value.region": "update T set region_code = '999999' where [true]",
    "fct_reported_value.placed": "update T set region_code = null where [true]",
    "fct_reported_value.cell": "update T set source_cell = null where [value is not null]",
    "fct_reported_value.reconciles_hosp_monthly": "update T set value = value + 1"
    " where [form_code = 'hosp_monthly' and value is not null]",
    "fct_reported_value.reconciles_inst_annual_hospital": "delete from T where [form_code = 'inst_annual_hospital']",
    "fct_reported_value.reconciles_inst_annual_phc": "update T set value = value / 1000"
    " where [form_code = 'inst_annual_phc' and field_code = 'revenue_total']",
    "fct_reported_value.reconciles_idr_monthly": "update T set field_code = 'deaths'"
    " where [form_code = 'idr_monthly' and field_code = 'cases']",
    "fct_reported_value.reconciles_mch_maternal_annual": "insert into T select (jsonb_populate_record(t,"
    " '{\"breakdown\": \"again\"}')).* from T as t where [form_code = 'mch_maternal_annual' and value is not null]",
    "mart_headline.same_as_fact": "delete from T where [value is not null]",
    "mart_headline.labelled": "update T set label_zh = '' where [true]",
    "mart_indicator.same_as_fact": "update T set value = value + 1 where [value is not null]",
    "mart_indicator.named": "update T set unit = null where [true]",
    "mart_indicator.subject": "update T set organization_code = 'LH-H01' where [subject_type = 'region']",
}


@pytest.fixture
def candidate(settings: Settings) -> Candidate:
    """The Longhu sample, taken in and built."""
    write(settings.home)
    raw.prepare(settings)
    site = load_site(settings)
    directory.take_in(engine(Role.LOADER), site)
    for source in site.sources:
        intake.take_in(settings, source, inbox.waiting(settings, source), None)
    obligations.mark_due(engine(Role.LOADER), date(2016, 3, 31))
    opened = open_candidate(engine(Role.BUILDER), "test")
    assert opened is not None
    building.build(settings, opened)
    return opened


@pytest.fixture
def auditor(settings: Settings) -> Iterator[Engine]:
    made = make_engine(settings, Role.AUDITOR)
    yield made
    made.dispose()


def statement(check_id: str) -> str:
    """The damage of a check as SQL."""
    table = check_id.split(".", maxsplit=1)[0]
    sql = DAMAGE[check_id]
    if "[" in sql:
        before, _, rest = sql.partition("[")
        where, _, after = rest.rpartition("]")
        sql = before + ONE.format(table=table, where=where) + after
    return sql.replace(" T ", f" star.{table} ")


def unlock(owner: Engine) -> list[str]:
    """Drop what would refuse the damage (constraints, not null), and keep a copy of every table."""
    with owner.begin() as connection:
        tables = list(star.tables(connection))
        connection.execute(text("create schema kept"))
        for table in tables:
            connection.execute(text(f"create table kept.{table} as select * from star.{table}"))
            connection.execute(
                text(
                    f"""do $$ declare part record; begin
                    for part in select conname from pg_constraint where conrelid = 'star.{table}'::regclass
                        and contype in ('p', 'u', 'c') loop
                        execute format('alter table star.{table} drop constraint %I', part.conname);
                    end loop;
                    for part in select attname from pg_attribute
                        where attrelid = 'star.{table}'::regclass and attnum > 0 and attnotnull loop
                        execute format('alter table star.{table} alter %I drop not null', part.attname);
                    end loop; end $$"""
                )
            )
    return tables


def restore(owner: Engine, tables: list[str], sql: str) -> None:
    with owner.begin() as connection:
        for table in tables:
            if f"star.{table} " in sql + " ":
                connection.execute(text(f"truncate star.{table}"))
                connection.execute(text(f"insert into star.{table} select * from kept.{table}"))


def damages(catalogue: Catalogue) -> dict[str, str]:
    """SQL by check: the damage named above, and for rows and grain the same for every table."""
    found = {}
    for check in catalogue.checks:
        table, _, what = check.id.partition(".")
        if what == "rows":
            found[check.id] = f"delete from star.{table} "
        elif what == "grain":
            found[check.id] = f"insert into star.{table} select * from star.{table} limit 1"
        elif check.id in DAMAGE:
            found[check.id] = statement(check.id)
    return found


def test_the_sound_sample_passes_and_each_damage_is_found_by_its_check(
    settings: Settings, candidate: Candidate, auditor: Engine
) -> None:
    verdict = gate.audit(settings, candidate)
    assert verdict.passed, verdict.details()
    assert verdict.counts["warning"] == 0, verdict.details()

    catalogue = load().with_suite(reconciliation(auditor))
    declared = {check.id for check in catalogue.checks}
    assert set(DAMAGE) <= declared
    by_check = damages(catalogue)
    assert set(by_check) == declared, f"no damage is known for {sorted(declared - set(by_check))}"

    owner = make_engine(settings, Role.OWNER)
    tables = unlock(owner)
    unfound = []
    narrow = rebuilt(auditor)
    for check_id, sql in by_check.items():
        with owner.begin() as connection:
            connection.exec_driver_sql(sql.replace("%", "%%"))
        # Every report belongs to this candidate, so that the narrow look must find what the wide one would.
        for look in (EVERYTHING, narrow):
            (suite,) = [suite for suite in catalogue.suites if suite.table == check_id.partition(".")[0]]
            task = suite.task(look)
            running = Auditor(url(settings, Role.AUDITOR))
            results = {result.check_id: result for result in gate.judge(auditor, task, running.run(task))}
            running.close()
            result = results[check_id]
            if result.status != "failed" or not result.failing_rows:
                unfound.append((check_id, look is narrow, result.status, result.observed))
        restore(owner, tables, sql)
    assert not unfound
    verdict = gate.audit(settings, candidate)
    assert verdict.passed, verdict.details()
    owner.dispose()
