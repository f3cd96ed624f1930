"""How a stage's errors reach Airflow."""

import pytest
from sqlalchemy.exc import OperationalError

from warehouse.errors import CandidateBusy, GateNotPassed


@pytest.fixture
def step(bag, settings):
    from dags.policy import step

    return step


def raising(error):
    def stage():
        raise error

    return stage


@pytest.mark.parametrize(
    "error", [CandidateBusy("busy"), OperationalError("select 1", {}, Exception()), OSError()]
)
def test_errors_that_may_pass_are_left_to_airflows_retries(step, error):
    with pytest.raises(type(error)):
        step(raising(error))()


@pytest.mark.parametrize("error", [GateNotPassed("not passed"), TypeError("a mistake in the code")])
def test_errors_that_no_other_try_mends_fail_at_once(step, error):
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match=str(error)):
        step(raising(error))()


def test_skipping_is_no_error(step):
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException):
        step(raising(AirflowSkipException()))()


def test_passwords_are_masked_in_a_tasks_log(step, settings):
    from airflow.sdk.log import redact

    from warehouse.secrets import password

    secret = password(settings, "owner")
    step(lambda: None)()
    assert secret not in redact(f"cannot connect as owner:{secret}")
