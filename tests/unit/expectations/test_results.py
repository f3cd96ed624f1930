"""The verdict needs every critical check to have passed; its lines say which, how many and where."""

from dataclasses import replace

from expectations.results import CheckResult, Verdict

PASSED = CheckResult(
    check_id="things.grain",
    suite="things",
    table_name="things",
    severity="critical",
    status="passed",
    message_zh="同一事物出现多行",
    message_en="a thing stands in more than one row",
    failing_rows=0,
)
FAILED = replace(
    PASSED,
    check_id="things.negative",
    status="failed",
    failing_rows=3,
    failing_query="select * from candidate.things where amount < 0",
    observed="thing_id=7",
)


def verdict(*results: CheckResult) -> Verdict:
    return Verdict(1, 1, results)


def test_all_critical_checks_passed_is_a_pass():
    assert verdict(PASSED, replace(FAILED, severity="warning")).passed


def test_a_critical_check_that_failed_broke_or_is_missing_is_no_pass():
    for status in ("failed", "error", "missing"):
        assert not verdict(PASSED, replace(FAILED, status=status)).passed


def test_no_critical_check_at_all_is_no_pass():
    assert not verdict().passed
    assert not verdict(replace(PASSED, severity="warning")).passed
    assert "no critical check" in verdict().line()


def test_the_line_names_the_check_the_rows_and_where_to_look():
    line = verdict(PASSED, FAILED, replace(FAILED, check_id="things.other")).line()
    assert line == (
        "things.negative: 3 rows, 同一事物出现多行 (a thing stands in more than one row) [critical]; "
        "look: select * from candidate.things where amount < 0 (and 1 more)"
    )
    assert "\n" not in line


def test_details_hold_every_check_that_did_not_pass_the_blocking_ones_first():
    warning = replace(FAILED, check_id="things.a_warning", severity="warning")
    details = verdict(PASSED, warning, FAILED).details()
    assert details.index("things.negative") < details.index("things.a_warning")
    assert "thing_id=7" in details
    assert "things.grain" not in details


def test_counts_are_by_severity():
    counts = verdict(PASSED, FAILED, replace(FAILED, check_id="x.y", severity="warning")).counts
    assert counts == {"declared": 3, "passed": 1, "not_applicable": 0, "critical": 1, "warning": 1}
