"""Facts that say what their rows stand for get their checks by themselves; a wrong word is refused with its place."""

from pathlib import Path
from textwrap import dedent

import pytest

from expectations import facts
from expectations.errors import CatalogueError
from expectations.kinds import KeyUnique

MODEL = """
models:
  - name: fct_things
    config:
      meta:
        checked:
          grain: [report_id, part]
          measures: {amount: thing_monthly.amount}
          breakdown: [part]
    columns:
      - {name: report_id}
      - {name: part}
      - {name: amount}
      - {name: period_type}
      - {name: period_start}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "_things.yml").write_text(dedent(text).lstrip(), encoding="utf-8")
    return folder


def test_a_fact_gets_grain_completeness_and_reconciliation(tmp_path: Path):
    (suite,) = facts.suites(write(tmp_path, MODEL))
    assert [check.id for check in suite.declared] == [
        "fct_things.rows",
        "fct_things.grain",
        "fct_things.complete",
        "fct_things.reconciles",
    ]
    grain, complete, reconciles = suite.checks
    assert isinstance(grain.expectation, KeyUnique)
    assert "'thing_monthly'" in complete.expectation.failing_rows("fct_things")
    assert "coalesce(fact.part::text, '')" in reconciles.expectation.failing_rows("fct_things")
    assert suite.scope == "changed_periods"


def test_a_fact_that_not_every_report_feeds_need_not_be_complete(tmp_path: Path):
    (suite,) = facts.suites(
        write(tmp_path, MODEL.replace("breakdown: [part]", "breakdown: [part]\n          complete: false"))
    )
    assert [check.id for check in suite.declared] == ["fct_things.grain", "fct_things.reconciles"]


def test_a_fact_of_several_forms_is_compared_by_form(tmp_path: Path):
    two = MODEL.replace("thing_monthly.amount", "[thing_monthly.amount, thing_annual.amount]")
    (suite,) = facts.suites(write(tmp_path, two + "      - {name: form_code}\n"))
    assert "field.form_code = fact.form_code" in suite.checks[-1].expectation.failing_rows("fct_things")
    with pytest.raises(CatalogueError, match="form_code"):
        facts.suites(write(tmp_path, two))


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("grain: [report_id, part]", "grain: [report_id, lost]"), 6, "'lost' is no column"),
        (("thing_monthly.amount", "amount"), 7, "measures"),
        (("breakdown: [part]", "breakdowns: [part]"), 8, "breakdowns"),
        (("- {name: report_id}", "- {name: other_id}"), 6, "is no column"),
    ],
)
def test_a_wrong_word_names_its_file_and_line(tmp_path: Path, change: tuple[str, str], line: int, words: str):
    assert change[0] in MODEL
    with pytest.raises(CatalogueError, match=words) as caught:
        facts.suites(write(tmp_path, MODEL.replace(*change, 1)))
    assert caught.value.message.startswith(f"{tmp_path / '_things.yml'}:{line}: ")
