"""The catalogue is complete, and a wrong declaration is refused with its file and line."""

from pathlib import Path
from textwrap import dedent

import pytest

from expectations.catalogue import SUITES, Catalogue, load
from expectations.declared import from_files
from expectations.errors import CatalogueError
from expectations.kinds import NoRowsFromQuery, one_line
from ingestion.forms_catalogue import load_forms

GOOD = """
table: things
key: [thing_id]
rows: always
checks:
  - id: things.grain
    question: Is there one row per thing?
    dimension: conformance
    severity: critical
    since: 2026-11-22
    expectation: {type: ExpectKeyToBeUnique, columns: [thing_id]}
    message_zh: 同一事物出现多行
    message_en: a thing stands in more than one row
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return from_files()


def write(folder: Path, text: str, name: str = "things.yml") -> Path:
    (folder / name).write_text(dedent(text).lstrip(), encoding="utf-8")
    return folder


def test_every_check_has_a_unique_id_and_a_message_in_both_languages(catalogue: Catalogue):
    checks = catalogue.checks
    assert len({check.id for check in checks}) == len(checks)
    for check in checks:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in check.message_zh), check.id
        assert check.message_en.isascii(), check.id
        assert check.question.endswith("?"), check.id


def test_checks_that_forms_leave_a_rule_to_are_asked(catalogue: Catalogue):
    left = {one.id: one.checks for form in load_forms().values() for one in form.statements}
    assert {check for checks in left.values() for check in checks} <= {check.id for check in catalogue.checks}
    # Two are asked when a file is read; two are instructions that leave no trace in any number.
    assert {rule for rule, checks in left.items() if not checks} == {"CR01U", "SR02", "EP07", "MN01"}


def test_every_suite_declares_checks_that_block(catalogue: Catalogue):
    for suite in catalogue.suites:
        assert any(check.severity == "critical" for check in suite.declared), suite.table


def test_every_suite_looks_at_the_grain_of_its_table(catalogue: Catalogue):
    for suite in catalogue.suites:
        assert any(check.expectation.type == "ExpectKeyToBeUnique" for check in suite.declared), suite.table


def test_queries_read_only_what_the_gate_may_read(catalogue: Catalogue):
    for check in catalogue.checks:
        if isinstance(check.expectation, NoRowsFromQuery):
            for schema in ("published.", "star.", "staging.", "raw."):
                assert schema not in check.expectation.query, check.id


def test_great_expectations_accepts_every_declaration(catalogue: Catalogue):
    from expectations.validation import expectation_of

    for check in catalogue.checks:
        assert expectation_of(check).meta == {"check_id": check.id}


def test_the_fingerprint_changes_with_a_declaration(tmp_path: Path):
    first = load(write(tmp_path, GOOD)).fingerprint
    assert load(tmp_path).fingerprint == first
    assert load(write(tmp_path, GOOD.replace("critical", "warning"))).fingerprint != first


def test_a_table_that_must_have_rows_gets_a_critical_check_on_emptiness(tmp_path: Path):
    (suite,) = load(write(tmp_path, GOOD.replace("always", "{when_reported: [hosp_monthly]}"))).suites
    assert suite.declared[0].id == "things.rows"
    assert suite.declared[0].severity == "critical"
    assert "'hosp_monthly'" in suite.declared[0].expectation.failing_rows("candidate.things")


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("severity: critical", "severity: grave"), 8, "severity"),
        (("since: 2026-11-22", "since: sometime"), 9, "since"),
        (("message_zh: 同一事物出现多行", "message_zh: one row"), 11, "message_zh"),
        (("type: ExpectKeyToBeUnique", "type: ExpectWonders"), 10, "ExpectWonders"),
        (("columns: [thing_id]", "columns: ['a; drop']"), 10, "columns"),
        (("columns: [thing_id]", "column: thing_id"), 10, "columns"),
        (("question: Is there one row per thing?", "asks: Is there?"), 5, "question"),
        (("id: things.grain", "id: others.grain"), 5, "others.grain"),
        (("table: things", "table: others"), 1, "others.yml"),
        (("key: [thing_id]", "key: [thing_id]\ntable: things"), 3, "twice"),
        (("key: [thing_id]", "key: [thing_id"), 3, "YAML"),
    ],
)
def test_a_wrong_declaration_names_its_file_and_line(
    tmp_path: Path, change: tuple[str, str], line: int, words: str
):
    assert change[0] in GOOD
    with pytest.raises(CatalogueError) as caught:
        load(write(tmp_path, GOOD.replace(*change)))
    assert caught.value.message.startswith(f"{tmp_path / 'things.yml'}:{line}: ")
    assert words in caught.value.message
    assert caught.value.mend


def test_an_id_declared_twice_names_both_places(tmp_path: Path):
    check = GOOD[GOOD.index("  - id") :]
    with pytest.raises(CatalogueError, match=r"things\.yml:13: .*things\.yml:5"):
        load(write(tmp_path, GOOD + check.lstrip("\n")))


def test_a_folder_without_suites_is_refused(tmp_path: Path):
    with pytest.raises(CatalogueError, match="No suites"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("delete from candidate.things", "select or with"),
        ("select thing_id from candidate.things; drop table x", "semicolon"),
        ("select * from candidate.things", "personal"),
        ("select t.* from candidate.things t", "personal"),
    ],
)
def test_a_query_must_be_one_select_that_names_its_columns(query: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        NoRowsFromQuery(type="ExpectNoRowsFromQuery", query=query)


def test_the_query_shown_to_people_is_one_line_without_comments():
    assert one_line("select a -- the key\nfrom t\n  where b") == "select a from t where b"


def test_suites_are_found_beside_the_code():
    assert SUITES.is_dir()
