"""The Longhu sample through the intake: every good report current, every incident dealt with, the sums right."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from ingestion import directory, inbox, intake, obligations, raw
from ingestion.site import load_site
from samples.longhu import AMENDED_VISITS, AMENDMENT, BROKEN, EXPECTED, LATE, RESENT, Incident, write
from warehouse.database import Role, engine
from warehouse.settings import Settings

GOOD_REPORTS = {
    "hosp_monthly": 132,
    "inst_annual_hospital": 6,
    "inst_annual_phc": 5,
    "idr_monthly": 12,
    "mch_maternal_annual": 1,
    "mch_child_annual": 1,
    "epi_monthly": 60,
    "hiv_test_monthly": 36,
    "newborn_screening_monthly": 36,
    "bphs_quarterly": 20,
    "smi_quarterly": 4,
    "women_screening_quarterly": 4,
    "women_screening_annual": 1,
    "toilet_quarterly": 40,
    "task_progress": 12,
    "population_denominators": 2,
    "finance_annual": 1,
    "certification_register": 1,
}
WITHOUT_DUTY = {
    "toilet_quarterly": 40,
    "task_progress": 4,
    "population_denominators": 2,
    "finance_annual": 1,
    "certification_register": 1,
    "newborn_screening_monthly": 36,
}
"""Reports that no due date is known for, and those of tasks of earlier years."""
SOURCES = {
    "total_visits": ("hosp_monthly", "visits_total", None),
    "admissions": ("inst_annual", "admissions", None),
    "beds_actual": ("inst_annual", "beds_actual", None),
    "health_personnel": ("inst_annual", "staff_total", None),
    "health_technicians": ("inst_annual", "staff_technical", None),
    "doctors": ("inst_annual", "doctors_licensed + doctors_assistant", None),
    "nurses": ("inst_annual", "nurses", None),
    "bed_occupancy_rate": ("inst_annual", "bed_days_occupied", "bed_days_open"),
    "child_0_6_mgmt_rate": ("inst_annual_phc", "children_0_6_managed", "children_0_6"),
    "pregnant_hiv_tests": ("mch_maternal_annual", "pmtct_hiv_tested", None),
    "pregnant_syphilis_tests": ("mch_maternal_annual", "pmtct_syphilis_tested", None),
    "pregnant_hbv_tests": ("mch_maternal_annual", "pmtct_hbv_tested", None),
    "antenatal_care_rate": ("mch_maternal_annual", "women_antenatal_checked", "live_births"),
    "postnatal_visit_rate": ("mch_maternal_annual", "women_postnatal_visited", "live_births"),
    "hospital_delivery_rate": ("mch_maternal_annual", "live_births_in_hospital", "live_births"),
    "under5_mortality_rate": ("mch_child_annual", "deaths_under5", None),
    "newborn_metabolic_screened": ("newborn_screening_monthly", "metabolic_screened", None),
    "newborn_hearing_screened": ("newborn_screening_monthly", "hearing_screened", None),
    "maternal_systematic_mgmt_rate": ("mch_maternal_annual", "women_systematic_managed", "live_births"),
}
UNITS_OF_SLICE = {
    "all": "%",
    "hospital": "LH-[HP]%",
    "public_hospital": "LH-H%",
    "private_hospital": "LH-P%",
    "primary_care": "LH-[CT]%",
}


def night(settings: Settings) -> Counter[str]:
    """Takes in whatever waits in the lanes; returns reports by what happened to them."""
    raw.prepare(settings)
    site = load_site(settings)
    directory.take_in(engine(Role.LOADER), site)
    happened: Counter[str] = Counter()
    for source in site.sources:
        result = intake.take_in(settings, source, inbox.waiting(settings, source), None)
        assert set(result.by_status) <= {"taken_in", "duplicate"}
        happened += result.reports
    obligations.mark_due(engine(Role.LOADER), date(2016, 3, 31))
    return happened


def rows(statement: str, **values: Any) -> list[Any]:
    with engine(Role.LOADER).connect() as connection:
        return list(connection.execute(text(statement), values))


def total(form: str, expression: str, of: str) -> Decimal | None:
    """Sum over the current reports of a form (or of both annual forms) in a slice of units."""
    forms = ("inst_annual_hospital", "inst_annual_phc") if form == "inst_annual" else (form,)
    pattern = "^" + UNITS_OF_SLICE[of].replace("%", ".*") + "$"
    parts = [
        rows(
            f"select sum({expression}) from raw.{one} r"
            " join registry.report p on p.current_revision_id = r.revision_id where p.subject_code ~ :pattern",
            pattern=pattern,
        )[0][0]
        for one in forms
    ]
    return sum((part for part in parts if part is not None), Decimal(0))


def revisions(incident: Incident) -> list[Any]:
    return rows(
        "select v.revision_no, v.status, v.revision_id = p.current_revision_id as is_current, a.file_name,"
        " v.received_at::date as received_on from registry.report p"
        " join registry.revision v using (report_id) join registry.arrival a using (arrival_id)"
        " where p.form_code = :form and p.subject_code = :subject and p.period_start = :start order by 1",
        form=incident.form,
        subject=incident.subject,
        start=incident.period_start,
    )


@pytest.fixture
def taken_in(settings: Settings) -> Settings:
    write(settings.home)
    happened = night(settings)
    assert happened["new"] == sum(GOOD_REPORTS.values())
    assert happened["quarantined"] == 1
    assert sum(happened[kind] for kind in ("revised", "outdated", "unplaced")) == 0
    return settings


def test_the_main_delivery_yields_the_printed_figures_and_deals_with_its_incidents(
    taken_in: Settings,
) -> None:
    current = rows(
        "select form_code, count(*) from registry.report where current_revision_id is not null group by 1"
    )
    assert dict(tuple(row) for row in current) == GOOD_REPORTS

    computed = {
        (figure.indicator, figure.slice, part): total(form, expression, figure.slice)
        for figure in EXPECTED
        if figure.indicator in SOURCES
        for form, *expressions in [SOURCES[figure.indicator]]
        for part, expression in zip(("numerator", "denominator"), expressions, strict=True)
        if expression
    }
    assert len(computed) > 30
    assert computed == {
        (figure.indicator, figure.slice, part): getattr(figure, part)
        for figure in EXPECTED
        for part in ("numerator", "denominator")
        if (figure.indicator, figure.slice, part) in computed
    }

    hard = rows("select rule_id, file_name from registry.finding join registry.arrival using (arrival_id)"
                " where severity = 'hard'")  # fmt: skip
    assert [(r.rule_id, f"hospital/{r.file_name}") for r in hard] == [(BROKEN.rule, BROKEN.file)]
    soft = rows("select distinct rule_id, form_code from registry.finding join registry.revision using (revision_id)"
                " join registry.report on report.report_id = revision.report_id where severity = 'soft'")  # fmt: skip
    assert {(r.form_code, r.rule_id) for r in soft} == {("mch_maternal_annual", "MM07S")}

    good, broken = revisions(BROKEN)
    assert (good.is_current, broken.status, broken.is_current) == (True, "quarantined", False)
    assert f"hospital/{broken.file_name}" == BROKEN.file
    assert len(revisions(RESENT)) == 1
    again = rows("select status from registry.arrival where file_name = :n", n=RESENT.file.partition("/")[2])
    assert [r.status for r in again] == ["duplicate"]

    late = rows(
        "select p.form_code, p.subject_code, p.period_start from registry.obligation o"
        " join registry.report p using (report_id) join registry.revision v using (report_id)"
        " where v.revision_no = 1 and (v.received_at at time zone 'Asia/Shanghai')::date > o.due_on"
    )
    assert [tuple(r) for r in late] == [(LATE.form, LATE.subject, LATE.period_start)]
    owed = rows(
        "select count(*), count(current_revision_id) from registry.obligation join registry.report using (report_id)"
    )
    assert tuple(owed[0]) == (sum(GOOD_REPORTS.values()) - sum(WITHOUT_DUTY.values()),) * 2

    reasons = rows("select prenatal_diagnosed, null_reasons from raw.mch_maternal_annual")
    assert [tuple(r) for r in reasons] == [
        (None, {"prenatal_diagnosed": "not_carried_out", "prenatal_confirmed": "not_carried_out"})
    ]

    write(taken_in.home)
    assert night(taken_in) == Counter()


def test_the_amendment_becomes_the_current_revision_and_changes_the_stated_fields(taken_in: Settings) -> None:
    visits = total("hosp_monthly", "visits_total", "all")
    write(taken_in.home, delivery="amendment")
    assert night(taken_in) == Counter(revised=1)
    former, amended = revisions(AMENDMENT)
    assert (former.status, former.is_current) == ("superseded", False)
    assert (amended.status, amended.is_current) == ("accepted", True)
    assert total("hosp_monthly", "visits_total", "all") == visits + AMENDED_VISITS
    assert AMENDMENT.changes is not None
    for field, change in AMENDMENT.changes.items():
        values = rows(
            f"select r.{field} from raw.hosp_monthly r join registry.revision v using (revision_id)"
            " join registry.report p using (report_id) where p.subject_code = :subject and p.period_start = :start"
            " order by v.revision_no",
            subject=AMENDMENT.subject,
            start=AMENDMENT.period_start,
        )
        assert tuple(Decimal(r[0]) for r in values) == tuple(Decimal(value) for value in change)
