"""A night whose candidate the gate does not pass: nothing is published, and the message says what to look at."""

import pytest
from sqlalchemy import text

from dags import stages
from samples import longhu
from tests.e2e.instance import published
from tests.e2e.nights import night, receive
from warehouse.database import Role, engine


def test_a_failed_critical_check_publishes_nothing_and_says_which_how_many_and_where(settings):
    longhu.write(settings.home)
    night("good")
    before = published(settings)

    longhu.write(settings.home, delivery="amendment")
    candidate = receive("bad")
    stages.build("bad", candidate)
    with engine(Role.BUILDER).begin() as connection:
        # What a defect in a model would do.
        done = connection.execute(
            text("update star.fct_hospital_service set visits_total = -1 where release_from = :id"),
            {"id": candidate["release_id"]},
        )
        assert done.rowcount == 1
    with pytest.raises(stages.GateFailed) as failure:
        stages.audit("bad", candidate)
    stages.reject("bad", candidate)
    with pytest.raises(stages.RunFailed, match="audit"):
        stages.finish("bad", [])

    message = str(failure.value)
    assert "fct_hospital_service." in message
    assert "1 row" in message
    assert f"warehouse checks --release {candidate['release_id']}" in message
    with engine(Role.AUDITOR).connect() as connection:
        failed = connection.execute(
            text(
                "select check_id, failing_rows, failing_query from audit.check_result"
                " where release_id = :id and status = 'failed' and severity = 'critical'"
            ),
            {"id": candidate["release_id"]},
        ).all()
    assert any(
        row.failing_rows == 1 and "candidate.fct_hospital_service" in row.failing_query for row in failed
    )
    assert published(settings) == before

    assert night("mended") == candidate["release_id"] + 1
    assert published(settings) != before
