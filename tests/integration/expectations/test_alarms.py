"""New failures are told once, in one message, to a chat server that is really there; known and waived ones are not."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from dags.notifiers import NewFailures, post
from expectations import alarms, findings, gate
from expectations.catalogue import Catalogue, load
from tests.chat import Receiver, listening
from warehouse.database import Role, make_engine
from warehouse.release import Candidate, open_candidate, reject
from warehouse.settings import Settings
from warehouse.star import make_views

SUITE = """
table: units
key: [subject_code]
rows: always
checks:
  - id: units.sound
    question: Does every unit count something?
    dimension: plausibility
    severity: warning
    owner: reporting_unit
    since: 2026-11-22
    expectation: {type: ExpectNoRowsWhere, condition: amount < 0}
    message_zh: 数值为负
    message_en: a number is negative
  - id: units.grain
    question: Is there one row per unit?
    dimension: conformance
    severity: critical
    since: 2026-11-22
    expectation: {type: ExpectKeyToBeUnique, columns: [subject_code]}
    message_zh: 同一单位出现多行
    message_en: a unit has two rows
"""


@pytest.fixture
def chat() -> Iterator[str]:
    with listening() as address:
        yield address


@pytest.fixture
def auditor(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings, Role.AUDITOR)
    yield engine
    engine.dispose()


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "units.yml").write_text(SUITE.lstrip(), encoding="utf-8")
    return load(tmp_path)


def night(settings: Settings, catalogue: Catalogue, wrong: set[int]) -> Candidate:
    """One audit of fifty units, some of them wrong."""
    builder = make_engine(settings, Role.BUILDER)
    candidate = open_candidate(builder, "test", force=True)
    assert candidate is not None
    tests = [{"name": "a", "model": "units", "severity": "error", "status": "pass", "failures": 0}]
    with builder.begin() as connection:
        connection.execute(
            text(
                "create table if not exists star.units"
                " (subject_code text, amount int, release_from int, release_to int)"
            )
        )
        connection.execute(text("truncate star.units"))
        connection.execute(
            text("insert into star.units values (:unit, :amount, :release, 2147483647)"),
            [
                {"unit": f"U{i:02}", "amount": -1 if i in wrong else 1, "release": candidate.release_id}
                for i in range(50)
            ],
        )
        make_views(connection, "candidate", "candidate_release")
        connection.execute(
            text("update warehouse.release set summary = cast(:s as jsonb) where release_id = :id"),
            {
                "s": json.dumps({"dbt_tests": [test | {"message": None, "query": None} for test in tests]}),
                "id": candidate.release_id,
            },
        )
    gate.audit(settings, candidate, catalogue=catalogue)
    reject(builder, candidate, "the night is over")
    builder.dispose()
    return candidate


def notify(monkeypatch: pytest.MonkeyPatch, chat: str) -> None:
    from warehouse.settings import get_settings

    monkeypatch.setenv("WAREHOUSE_ALARM_WEBHOOKS", chat)
    get_settings.cache_clear()
    NewFailures().notify({})


def test_a_night_with_forty_known_failures_and_a_new_one_tells_the_new_one_only(
    settings: Settings, catalogue: Catalogue, chat: str, monkeypatch: pytest.MonkeyPatch
):
    night(settings, catalogue, wrong=set(range(40)))
    notify(monkeypatch, chat)
    assert len(Receiver.got) == 1
    assert "40 项新问题" in Receiver.got[0]
    night(settings, catalogue, wrong=set(range(41)))
    notify(monkeypatch, chat)
    assert len(Receiver.got) == 2
    told = Receiver.got[1]
    assert "1 项新问题" in told
    assert "40 项已知" in told
    assert "units.sound" in told
    assert "U40" in told
    assert "U39" not in told
    notify(monkeypatch, chat)
    assert len(Receiver.got) == 2


def test_what_was_mended_and_came_back_is_told_again(
    settings: Settings, catalogue: Catalogue, auditor: Engine
):
    for wrong, expected in (({1}, {"units.sound"}), (set(), None), ({1}, {"units.sound"})):
        night(settings, catalogue, wrong=wrong)
        alarm = alarms.tell(auditor, lambda _: None)
        assert (set(alarm.new) if alarm else None) == expected


def test_what_could_not_be_told_is_told_next_time(
    settings: Settings, catalogue: Catalogue, auditor: Engine, chat: str, monkeypatch: pytest.MonkeyPatch
):
    night(settings, catalogue, wrong={7})
    Receiver.errcode = 93000
    with pytest.raises(OSError, match="93000"):
        notify(monkeypatch, chat)
    Receiver.errcode = 0
    notify(monkeypatch, chat)
    assert "U07" in Receiver.got[-1]


def test_a_waived_failure_is_not_told_hides_no_new_one_and_returns_when_it_expires(
    settings: Settings, catalogue: Catalogue, auditor: Engine
):
    def waive(expires: date) -> None:
        settings.site.mkdir(exist_ok=True)
        (settings.site / "gate_waivers.yml").write_text(
            "- {check: units.sound, subject: U03, owner: 统计科, reason: 停业盘点, ticket: T-17,"
            f" expires_on: {expires}}}\n",
            encoding="utf-8",
        )

    waive(date.today() + timedelta(days=30))  # noqa: DTZ011 - the day of the waiver's file
    night(settings, catalogue, wrong={3})
    assert alarms.tell(auditor, lambda _: None) is None
    night(settings, catalogue, wrong={3, 4})
    alarm = alarms.tell(auditor, lambda _: None)
    assert alarm is not None
    assert alarm.new == {"units.sound": ("subject_code=U04",)}
    assert [row["waiver"] for row in findings.failing(auditor, waived=True)] == [
        None,
        f"T-17 (统计科, until {date.today() + timedelta(days=30)})",  # noqa: DTZ011
    ]
    waive(date.today() - timedelta(days=2))  # noqa: DTZ011
    night(settings, catalogue, wrong={3})
    alarm = alarms.tell(auditor, lambda _: None)
    assert alarm is not None
    assert alarm.new == {"units.sound": ("subject_code=U03",)}


def test_a_long_message_is_cut_and_says_where_the_rest_is(chat: str):
    post(chat, "数据" * 2000)
    assert len(Receiver.got[0].encode()) < 2048
    assert Receiver.got[0].endswith("warehouse checks")
