"""Seven successive publications of the national bulletin of notifiable diseases, one night each, into the star."""

import csv
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from ingestion.forms_catalogue import load_forms
from tests.e2e.nights import night
from warehouse.database import Role, engine

PARTS = ("cases", "deaths")
TWICE = "2010-10"

FACT = text(
    "select to_char(period_start, 'YYYY-MM') as month, disease_code, cases, deaths"
    " from published.fct_notifiable_disease where region_code = '000000'"
)


@pytest.fixture
def publications(shared_data):
    return sorted(path for path in (shared_data / "stone_zeng_cnid").iterdir() if path.is_dir())


@pytest.fixture
def bureau(settings):
    """A site whose one source sends the national bulletin."""
    settings.site.mkdir(parents=True)
    (settings.site / "sources.yml").write_text(
        'sources:\n  - {code: cdc, name_zh: 全国法定传染病月报, region_code: "000000"}\n'
    )
    shutil.copyfile(Path(__file__).with_name("national_waivers.yml"), settings.site / "waivers.yml")
    (settings.site / "organizations.csv").write_text("organization_code,event_date,event_type,name_zh\n")
    (settings.site / "duties.csv").write_text(
        "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"
    )
    return settings


def publish(bureau, folder):
    """Deliver a publication at its own date and run the night; the release, None when nothing changed."""
    moment = datetime.fromisoformat(folder.name[:10]).replace(tzinfo=UTC).timestamp()
    for part in PARTS:
        target = bureau.inbox / "cdc" / folder.name / f"monthly-{part}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / f"monthly-{part}.csv", target)
        os.utime(target, (moment, moment))
    return night(folder.name)


def printed(folder, settings):
    """What a publication prints, read without our reader: {(month, disease): {part: number}}, blanks left out."""
    codes = load_forms(settings)["idr_monthly"].code_lists["disease"]
    cells = {}
    for part in PARTS:
        with (folder / f"monthly-{part}.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                month = row.pop("月份")
                for label, value in row.items():
                    if value and month != TWICE:
                        cells.setdefault((month, codes.code_of(label)), {})[part] = int(value)
    return cells


def shown(as_of=None):
    """What readers see: {(month, disease): {part: number}}, nulls left out."""
    with engine(Role.READER).connect() as connection:
        if as_of:
            connection.execute(text(f"set local warehouse.as_of_release = {as_of}"))
        return {
            (row.month, row.disease_code): {
                part: getattr(row, part) for part in PARTS if getattr(row, part) is not None
            }
            for row in connection.execute(FACT)
        }


@pytest.mark.timeout(1800)
def test_every_publication_is_published_cell_for_cell_and_stays_readable(bureau, publications):
    for number, folder in enumerate(publications, start=1):
        release = publish(bureau, folder)
        expected = printed(folder, bureau)
        if number > 1 and expected == printed(publications[number - 2], bureau):
            assert release is None
            continue
        assert {key: cell for key, cell in shown().items() if cell} == expected, folder.name
        if number == 1:
            first = expected
    assert {key: cell for key, cell in shown(as_of=1).items() if cell} == first

    # Drift: a column that only the last publication has.
    assert shown()["2023-09", "MPOX"]["cases"] == 80
    assert not any(disease == "MPOX" for _, disease in first)

    with engine(Role.LOADER).connect() as connection:
        twice = connection.execute(
            text(
                "select distinct r.part, v.status, f.rule_id from registry.revision v"
                " join registry.report r using (report_id) join registry.finding f using (revision_id)"
                " where r.period_start = '2010-10-01' order by 1"
            )
        ).all()
        assert [tuple(row) for row in twice] == [
            (part, "quarantined", "REPORT_TWICE_IN_FILE") for part in PARTS
        ]
        missing = connection.scalars(
            text("select distinct value from registry.finding where rule_id = 'PERIOD_MISSING_IN_SERIES'")
        ).all()
        assert missing == ["2010-11"]
        waived = connection.execute(
            text(
                "select distinct to_char(r.period_start, 'YYYY-MM'), v.status from registry.finding f"
                " join registry.waiver w using (waiver_id) join registry.revision v using (revision_id)"
                " join registry.report r on r.report_id = v.report_id order by 1"
            )
        ).all()
        assert len(waived) == 13
        assert {status for _, status in waived} == {"accepted_with_warnings"}
    assert not any(month in (TWICE, "2010-11") for month, _ in shown())
