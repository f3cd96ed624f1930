"""The page on adding a form, run as it stands: a form from outside the package, its new edition, real nights."""

import os
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from tests.e2e.instance import Instance

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-form.md"
FORMS = [ROOT / "docs" / "examples" / name / "fever_clinic_monthly.yml" for name in ("forms", "forms-2016")]


def blocks() -> list[tuple[str, str]]:
    """Kind and text of each block of the page."""
    return re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    instance = Instance(tmp_path_factory.mktemp("own_form") / "home")
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def ran(instance) -> list[tuple[str, str]]:
    """What each command block of the page says here, beside what the page shows below it; stops at a failure."""
    exports, results = "", []
    every = blocks()
    for number, (kind, text) in enumerate(every):
        if kind != "sh":
            continue
        script = text.replace("$PWD/.warehouse-try", f"'{instance.home}'")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", exports + script],
            cwd=ROOT,
            env={
                **instance.environment,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        night = instance.home / "night.txt"
        said = night.read_text()[-3000:] if night.exists() else ""
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}\n{said}"
        exports += "".join(f"{line}\n" for line in script.splitlines() if line.startswith("export "))
        follows = every[number + 1] if number + 1 < len(every) else ("", "")
        results.append((done.stdout.replace(str(instance.home), ".warehouse-try"), follows))
    return results


def test_every_answer_of_the_page_is_what_the_commands_say(ran):
    shown = [(stripped(said), stripped(text)) for said, (kind, text) in ran if kind == "text"]
    assert len(shown) == 8
    for said, text in shown:
        assert said == text
    assert all(not said.strip() for said, (kind, _) in ran if kind != "text")


def test_the_page_shows_the_forms_as_they_are():
    shown = [text for kind, text in blocks() if kind == "yaml"]
    assert len(shown) == 2
    for text, file in zip(shown, FORMS, strict=True):
        lines = file.read_text().splitlines()
        assert [line for line in text.splitlines() if line not in (*lines, "  …")] == []
    assert shown[0] == FORMS[0].read_text()


def test_the_template_and_the_correction_of_the_page_are_workbooks(instance, ran):
    template = openpyxl.load_workbook(instance.home / "发热门诊.xlsx").worksheets[0]
    assert [template.cell(row, 1).value for row in (4, 5, 6)] == ["EX-H1", "EX-H2", "EX-H3"]
    (correction,) = (instance.home / "更正").iterdir()
    page = openpyxl.load_workbook(correction).worksheets[1]
    assert [cell.value for cell in page["A"]] == ["机构编码", None, None, "EX-H3"]
    assert "FC01" in page["C4"].comment.text


def test_the_gate_reconciled_the_form(instance, ran):
    query = (
        "select count(*) from audit.check_result where status = 'passed'"
        " and check_id = 'fct_reported_value.reconciles_fever_clinic_monthly'"
    )
    assert instance.scalar(query) == 2
