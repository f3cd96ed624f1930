"""Readers never notice a night: each answer comes from one whole release, and none fails."""

import threading

from sqlalchemy import NullPool, create_engine, text

from ingestion import registry
from samples import longhu
from tests.e2e.nights import night
from warehouse import release
from warehouse.database import Role, engine, url

READERS = 20

# One number of one year, by four ways through the star that different models build.
ANSWER = text(
    """
    select
        (
            select sum(visits_total) from published.fct_hospital_service
            where period_type = 'month' and period_start between '2015-01-01' and '2015-12-31'
        ) as service,
        (
            select sum(value) from published.fct_reported_value
            where form_code = 'hosp_monthly' and field_code = 'visits_total'
        ) as reported,
        (
            select numerator from published.fct_indicator
            where indicator_code = 'total_visits' and region_code = '440507' and organization_key is null
                and slice = 'all' and period_type = 'year' and period_start = '2015-01-01'
        ) as indicator,
        (
            select numerator from published.mart_indicator
            where indicator_code = 'total_visits' and region_code = '440507' and organization_code is null
                and slice = 'all' and period_type = 'year' and period_start = '2015-01-01'
        ) as mart
    """
)


def test_twenty_readers_see_only_whole_releases_through_two_publications_and_an_undo(settings):
    longhu.write(settings.home)
    night("first")
    stop, seen, failures = threading.Event(), [set() for _ in range(READERS)], []
    counts = [0] * READERS
    readers = create_engine(url(settings, Role.READER), poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def read(number):
        with readers.connect() as connection:
            while not stop.is_set():
                try:
                    seen[number].add(tuple(connection.execute(ANSWER).one()))
                    counts[number] += 1
                except Exception as error:
                    failures.append(repr(error))
                    return

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        longhu.write(settings.home, delivery="amendment")
        night("amended")
        [amended] = [
            report
            for report in registry.reports(engine(Role.LOADER))
            if report.revision_no == 2
            and report.form_code == "hosp_monthly"
            and report.status.startswith("accepted")
        ]
        registry.withdraw(engine(Role.LOADER), amended.report_id, "sent by mistake", "statistician")
        night("withdrawn")
        release.undo(engine(Role.PUBLISHER), "withdrawn by mistake")
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        readers.dispose()

    assert failures == []
    answers = set().union(*seen)
    assert all(len(set(answer)) == 1 for answer in answers), f"mixed releases in one answer: {answers}"
    assert {int(answer[0]) for answer in answers} == {1_261_543, 1_261_663, 1_261_663 - 24_171}
    assert min(counts) > 10
