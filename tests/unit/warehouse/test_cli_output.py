"""What senders wrote is printed as it stands: it neither steers the printing nor stops it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.findings import Finding
from ingestion.judging import Judged
from ingestion.registry import Unplaced
from ingestion.results import CheckedReport
from warehouse.cli import checks, data
from warehouse.cli.output import print_rows


@pytest.mark.parametrize("text", ["值[/x]", "[final]报表[red].csv", "[link=http://a]"])
def test_brackets_of_a_sender_are_text(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_rows([{"value": text}], ("value",), title="", empty="")
    assert text in capsys.readouterr().out


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\x07b", "a\u202eb", "a\x9bb"])
def test_what_steers_a_terminal_is_not_printed(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_rows([{"value": text}], ("value",), title="", empty="")
    shown = capsys.readouterr().out
    assert "a\ufffd" in shown
    assert text[1] not in shown


def test_a_file_name_with_brackets_is_shown_with_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    answers: list[dict[str, Any]] = [
        {
            "file": str(Path("in[/b]ox") / "月报[old].csv"),
            "error": "月报[/old].csv shows no form.",
            "message_zh": "月报[/旧].csv 不是报表",
            "reports": (),
        },
        {"file": "a[/b].csv", "reports": (), "findings": (Finding("R", "file", "soft", "坏[/b]", "bad"),)},
    ]
    for answer in answers:
        data._show_check(answer)
    shown = capsys.readouterr().out
    assert "月报[old].csv" in shown
    assert "月报[/old].csv shows no form." in shown
    assert "月报[/旧].csv 不是报表" in shown
    assert "坏[/b]" in shown


def test_a_finding_is_shown_with_the_unit_and_the_period_of_its_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reports = [
        CheckedReport(
            "hosp_monthly", unit, date(2015, 3, 1), date(2015, 3, 31), "accepted", "new",
            (Judged(Finding(rule, "report", "soft", "请核对", "check")),),
        )
        for unit, rule in (("LH-H01", "HM01"), ("LH-H02", "HM02"))
    ]  # fmt: skip
    data._show_check({"file": "a.xlsx", "reports": reports, "findings": ()})
    told = capsys.readouterr().out.splitlines()
    for unit, rule in (("LH-H01", "HM01"), ("LH-H02", "HM02")):
        assert any(unit in line and rule in line and "2015-03-01" in line for line in told)


@pytest.mark.parametrize("detail", ["“a.pdf”是PDF，不能读取", "1 unplaced"])
def test_what_is_wrong_with_a_file_is_said_once(capsys: pytest.CaptureFixture[str], detail: str) -> None:
    finding: Any = Finding("FILE_UNREADABLE", "file", "hard", "“a.pdf”是PDF，不能读取", "is a PDF")
    received = datetime(2015, 3, 1, tzinfo=UTC)
    data._show_file(Unplaced(1, "cdc", "a.pdf", received, "unreadable", None, detail, (finding,)))
    assert capsys.readouterr().out.count(detail) == 1


@pytest.mark.parametrize(
    ("before", "after", "came", "went", "told"),
    [
        ("passed", "not_applicable", 0, 0, False),
        ("not_applicable", "passed", 0, 0, False),
        ("passed", "failed", 3, 0, True),
        ("passed", "passed", 0, 2, True),
        ("missing", "not_applicable", 0, 0, True),
    ],
)
def test_a_check_that_had_nothing_to_ask_is_no_news(
    before: str, after: str, came: int, went: int, told: bool
) -> None:
    assert checks._tells({"status_a": before, "status_b": after, "came": came, "went": went}) is told
