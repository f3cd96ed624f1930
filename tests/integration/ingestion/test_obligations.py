from datetime import date

from ingestion.obligations import mark_due

HEAD = "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"


def due(bureau) -> list[tuple[str, str, date, date]]:
    return [
        tuple(row)
        for row in bureau.rows(
            "select r.form_code, r.subject_code, r.period_start, o.due_on"
            " from registry.obligation o join registry.report r using (report_id) order by 1, 2, 3"
        )
    ]


def test_monthly_form_falls_due_on_the_20th_of_the_next_month(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,,\n")
    assert mark_due(bureau.loader, date(2015, 2, 19)) == 0
    assert mark_due(bureau.loader, date(2015, 2, 20)) == 1
    assert due(bureau) == [("hosp_monthly", "T-1", date(2015, 1, 1), date(2015, 2, 20))]
    assert mark_due(bureau.loader, date(2015, 4, 1)) == 1


def test_every_new_obligation_is_told_to_the_next_release_once(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2016-01-01,\n")
    assert mark_due(bureau.loader, date(2020, 1, 1)) == 12
    before = bureau.state()
    assert before["change"] == 12
    assert mark_due(bureau.loader, date(2020, 1, 1)) == 0
    assert bureau.state() == before


def test_maternal_year_falls_due_on_12_october(bureau):
    bureau.site(
        duties_csv=HEAD + "mch_maternal_annual,region,440507,T-9,2014-10-01,2015-10-01,\n"
        "inst_annual_hospital,organization,T-1,T-1,2015-01-01,2016-01-01,\n"
    )
    mark_due(bureau.loader, date(2016, 12, 31))
    assert due(bureau) == [
        ("inst_annual_hospital", "T-1", date(2015, 1, 1), date(2016, 1, 20)),
        ("mch_maternal_annual", "440507", date(2014, 10, 1), date(2015, 10, 12)),
    ]


def test_duty_covers_the_periods_on_whose_last_day_it_holds(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-10,2015-03-10,\n")
    mark_due(bureau.loader, date(2015, 12, 31))
    assert [start for _, _, start, _ in due(bureau)] == [date(2015, 1, 1), date(2015, 2, 1)]


def test_closed_unit_owes_nothing(bureau):
    closed = [*bureau.organizations, "T-1,2015-02-10,close,,,,"]
    bureau.site(
        organizations_csv="\n".join(closed) + "\n",
        duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-05-01,\n",
    )
    mark_due(bureau.loader, date(2015, 12, 31))
    assert [start for _, _, start, _ in due(bureau)] == [date(2015, 1, 1), date(2015, 2, 1)]


def test_corrected_duty_takes_its_obligations_back(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-04-01,\n")
    mark_due(bureau.loader, date(2015, 12, 31))
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-9,2015-01-01,2015-03-01,筹建\n")
    assert mark_due(bureau.loader, date(2015, 12, 31)) == 3
    assert bureau.rows("select distinct exempt_reason from registry.obligation") == [("筹建",)]
    assert len(due(bureau)) == 2
    assert bureau.value("select count(*) from registry.change where cause = 'no longer due'") == 1


def test_received_report_and_obligation_are_one_report(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-02-01,\n")
    bureau.send("a.csv", bureau.row())
    bureau.take_in()
    mark_due(bureau.loader, date(2015, 12, 31))
    assert bureau.rows("select current_revision_id is not null from registry.report") == [(True,)]
