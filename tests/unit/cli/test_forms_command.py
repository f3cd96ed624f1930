"""``warehouse forms``: the list, one form, its blank workbook, and what is said about mistakes."""

import json
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from ingestion.forms_catalogue import load_forms
from warehouse.cli import app

runner = CliRunner()


def run(*arguments):
    return runner.invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def home(settings):
    """Home of an instance whose database was never started: forms need none."""
    (settings.home / "site").mkdir()
    (settings.home / "site" / "sources.yml").write_text("- {code: hospital, name_zh: 医院}\n")
    (settings.home / "site" / "organizations.csv").write_text(
        "organization_code,event_date,event_type,name_zh,class_code,region_code\n"
        "T-1,2010-01-01,open,构造甲医院,A100,440507\n"
        "T-1,2014-01-01,rename,构造第一医院,,\n"
    )
    return settings.home


def test_every_form_is_listed_with_its_size():
    listed = {row["code"]: row for row in json.loads(run("forms", "--json").stdout)}
    forms = load_forms()
    assert set(listed) == set(forms)
    assert all(listed[code]["fields"] == len(form.fields) for code, form in forms.items())
    assert listed["hosp_monthly"]["due"] == "day 20 of the next month"
    shown = run("forms").output
    assert all(code in shown for code in forms)


@pytest.mark.parametrize("code", list(load_forms()))
def test_every_form_can_be_shown(code: str):
    form = load_forms()[code]
    described = json.loads(run("forms", "show", code, "--json").stdout)
    assert [rule["id"] for rule in described["rules"]] == [rule.id for rule in form.rules]
    assert set(described["code_lists"]) == set(form.code_lists)
    shown = run("forms", "show", code)
    assert shown.exit_code == 0, shown.output
    assert form.name_zh in shown.output
    assert all(item.code in shown.output for item in form.fields_of(form.editions[-1].code))


def test_a_form_is_also_found_by_its_chinese_name():
    name = load_forms()["hosp_monthly"].name_zh
    assert json.loads(run("forms", "show", name, "--json").stdout)["code"] == "hosp_monthly"


def test_an_unknown_form_is_told_with_the_nearest():
    result = run("forms", "show", "hosp_montly", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["error"] == "FormError"
    assert answer["context"]["nearest"][0] == "hosp_monthly"


def test_an_unknown_edition_is_told_with_those_there_are():
    result = run("forms", "show", "hosp_monthly", "--edition", "1999")
    assert result.exit_code == 1
    assert "no edition 1999" in result.stderr
    assert "2010" in result.stderr


def test_the_template_names_unit_and_period(tmp_path: Path):
    path = tmp_path / "月报.xlsx"
    result = run(
        "forms",
        "template",
        "hosp_monthly",
        "--out",
        str(path),
        "--period",
        "2015-03",
        "--unit",
        "T-1",
        "--json",
    )
    assert result.exit_code == 0, result.output
    sheet = openpyxl.load_workbook(path)[json.loads(result.stdout)["sheets"][0]]
    assert sheet["B2"].value == "2015年3月"
    row = [cell.value for cell in sheet[5]]
    assert row[0] == "T-1"
    assert "构造第一医院" in row


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--period", "2015-13"], "cannot be told"),
        (["--period", "1999-01"], "no edition for 1999-01-01"),
        (["--unit", "T-7"], "no unit T-7"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(arguments: list[str], said: str, tmp_path: Path):
    path = tmp_path / "月报.xlsx"
    result = run("forms", "template", "hosp_monthly", "--out", str(path), *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not path.exists()


@pytest.mark.parametrize("arguments", [[], ["54", "--unit", "T-1"]])
def test_corrections_are_for_a_report_or_for_a_unit(arguments: list[str], tmp_path: Path):
    result = run("corrections", *arguments, "--out", str(tmp_path / "更正.xlsx"))
    assert result.exit_code == 1
    assert "either a report or a unit" in result.stderr


def test_the_command_lists_forms_and_corrections():
    listed = run("--help").output
    assert "forms" in listed
    assert "corrections" in listed
