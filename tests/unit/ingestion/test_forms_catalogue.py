"""The catalogue holds every form of the domain's list, with its fields, rules and periods, and can tell them apart."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.form import Form
from ingestion.forms_catalogue import BUILT_IN, Catalogue
from ingestion.label_index import index_of
from ingestion.labels import label_keys
from ingestion.layout import recognise
from ingestion.readers import read_tables

LIST = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "reports.yml"

# One entry of the list that became several forms.
FORMS = {
    "birth_death_cards": ("birth_card", "maternal_death_card", "child_death_card", "birth_defect_card"),
    "inst_annual_hospital": ("inst_annual_hospital", "inst_annual_hospital_dept"),
    "ncms_report": ("ncms_report", "ncms_quarterly"),
    "occupational_reports": ("occupational_reports", "occupational_case_card"),
    "mch_maternal_annual": ("mch_maternal_annual", "mch_maternal_quarterly"),
    "mch_child_annual": ("mch_child_annual", "mch_child_quarterly"),
    "women_screening_annual": ("women_screening_annual", "women_screening_quarterly"),
}
# One field of the list that became several.
FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("inst_annual_hospital", "dept_rows"): (
        "department",
        "beds_actual",
        "visits_outpatient_emergency",
        "discharges",
    ),
    ("inst_annual_phc", "core_fields"): ("staff_total", "beds_actual", "revenue_total", "visits_total"),
    ("inpatient_front_page", "other_diagnoses"): tuple(f"other_diagnoses_{n}" for n in range(1, 16)),
    ("inpatient_front_page", "operations"): tuple(
        f"operation_{part}_{n}"
        for part in ("code", "date", "level", "incision", "anaesthesia")
        for n in range(1, 8)
    ),
    ("inpatient_front_page", "cost_items"): ("cost_item_general_service", "cost_item_other"),
    ("mch_maternal_annual", "maternal_deaths_by_cause"): tuple(
        f"maternal_deaths_{cause}"
        for cause in ("haemorrhage", "hypertension", "medical", "embolism", "other")
    ),
    ("smi_quarterly", "smi_risk_0_5"): tuple(f"smi_risk_{n}" for n in range(6)),
    ("smi_quarterly", "six_types"): (
        "smi_schizophrenia",
        "smi_paranoid",
        "smi_schizoaffective",
        "smi_bipolar",
        "smi_epilepsy",
        "smi_retardation",
    ),
    ("premarital_annual", "married"): ("married_male", "married_female"),
    ("premarital_annual", "checked"): ("checked_male", "checked_female"),
    ("birth_death_cards", "defect_codes"): ("defect_codes_1",),
    ("death_card", "name_id"): ("name", "id_no"),
    ("death_card", "cause_a_d"): ("cause_a", "cause_b", "cause_c", "cause_d"),
}
# Forms whose printed name differs from the list's for a reason that the form gives.
NAMES = {
    "idr_monthly": "法定传染病月统计报表",
    "occupational_reports": "工作场所职业病危害因素监测年报表",
    "women_screening_annual": "妇女常见病筛查情况年报表",
}
PERIODS = {
    "staff_register": "year",
    "equipment_register": "year",
    "inpatient_front_page": "month",
    "occupational_reports": "year",
    "ncms_report": "year",
}
PURE_NUMBER = {"dec", "int"}


def _listed() -> list[dict[str, Any]]:
    if not LIST.is_file():
        pytest.skip("the domain's list of forms is not beside the checkout")
    entries: list[dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))["forms"]
    return entries


def _family(catalogue: Catalogue, code: str) -> list[Form]:
    return [catalogue[one] for one in FORMS.get(code, (code,))]


def _rules(catalogue: Catalogue, code: str) -> dict[str, str]:
    """Severity of each rule of a form and those split off it; statements have none."""
    found = {}
    for form in _family(catalogue, code):
        found |= {statement.id: "" for statement in form.statements}
        found |= {rule.id: rule.severity for rule in form.rules}
    return found


def test_every_form_of_the_list_is_there(catalogue: Catalogue) -> None:
    listed = _listed()
    assert len(listed) == 36
    assert {code for entry in listed for code in FORMS.get(entry["code"], (entry["code"],))} == set(catalogue)


def test_every_field_of_the_list_is_there(catalogue: Catalogue) -> None:
    lacking, count = [], 0
    for entry in _listed():
        code = entry["code"]
        here = {field.code for form in _family(catalogue, code) for field in form.fields}
        for field in entry["fields"]:
            count += 1
            wanted = FIELDS.get((code, field["code"]), (field["code"],))
            lacking += [(code, one) for one in wanted if one not in here]
    assert lacking == []
    assert count == 555


def test_every_rule_of_the_list_is_there_as_severe_as_its_source_is_sure(catalogue: Catalogue) -> None:
    wrong, count = [], 0
    for entry in _listed():
        rules = _rules(catalogue, entry["code"])
        for rule in entry["rules"]:
            count += 1
            expected = "soft" if rule["verification"].startswith("own") else rule["severity"]
            if rules.get(rule["id"], "no such rule") not in ("", expected):
                wrong.append((entry["code"], rule["id"], rules.get(rule["id"]), expected))
    assert wrong == []
    assert count == 126


def test_every_form_has_the_name_and_the_period_of_the_list(catalogue: Catalogue) -> None:
    for entry in _listed():
        code = entry["code"]
        if code not in catalogue:
            continue
        form = catalogue[code]
        assert _words(form.name_zh) == _words(NAMES.get(code, entry["name_zh"])), code
        assert form.period.type == _period(entry), code


def _words(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


def _period(entry: dict[str, Any]) -> str:
    said = entry["period"]
    if entry["code"] in PERIODS:
        return PERIODS[entry["code"]]
    # The maternal-child tables run from October to September.
    if entry["source_family"].startswith("mch") and "annual" in said:
        return "mch_year"
    if "cumulative" in said and "quarterly" in said:
        return "cumulative_quarter"
    return {"monthly": "month", "quarterly": "quarter", "annual": "year", "event": "event"}[
        re.split(r"[^a-z]", said)[0]
    ]


def test_every_form_says_who_files_it_and_what_it_feeds(catalogue: Catalogue) -> None:
    silent = [
        form.code
        for form in catalogue.values()
        if not (form.filed_by and form.received_by and form.feeds and form.form_numbers and form.verification)
        or not (form.due or form.due_note)
    ]
    assert silent == []


def test_every_number_has_its_unit_and_every_measure_its_nature(catalogue: Catalogue) -> None:
    bare = [
        (form.code, field.code)
        for form in catalogue.values()
        for field in form.fields
        if field.type in PURE_NUMBER
        and field.role != "identity"
        and not field.personal
        and (not field.unit or (field.role == "measure" and not field.nature))
    ]
    assert bare == []


def test_numbers_of_cards_are_no_measures(catalogue: Catalogue) -> None:
    assert [form.code for form in catalogue.values() if form.cards and form.measures] == []


def test_every_field_is_known_by_its_own_code(catalogue: Catalogue) -> None:
    index = index_of(catalogue)
    for form in catalogue.values():
        assert {f.code: index.lookup(f.code)[form.code] for f in form.fields} == {
            f.code: (f.code,) for f in form.fields
        }
        for wide in (one for one in index.wide if one.form is form):
            assert set(wide.layout.measures) == {wide.resolve((code,))[1] for code in wide.layout.measures}


def test_no_label_means_two_fields_of_a_form(catalogue: Catalogue) -> None:
    twice = []
    for form in catalogue.values():
        meant: dict[str, set[str]] = {}
        for field in form.fields:
            for label in field.labels:
                meant.setdefault(label_keys(label)[0], set()).add(field.code)
        twice += [(form.code, label, sorted(codes)) for label, codes in meant.items() if len(codes) > 1]
    assert twice == []


def test_money_is_kept_in_yuan(catalogue: Catalogue) -> None:
    factors = {"千元": 1000, "万元": 10000}
    for form in catalogue.values():
        for field in form.fields:
            if field.source_unit in factors:
                assert (field.unit, field.factor) == ("元", factors[field.source_unit]), field.code


def test_rules_are_named_once_and_speak_both_languages(catalogue: Catalogue) -> None:
    for form in catalogue.values():
        ids = Counter([*(rule.id for rule in form.rules), *(one.id for one in form.statements)])
        assert [name for name, times in ids.items() if times > 1] == []
        for rule in form.rules:
            assert re.search(r"[\u4e00-\u9fff]", rule.message_zh), rule.id
            assert not re.search(r"[\u4e00-\u9fff]", rule.message_en), rule.id
            assert rule.verification, rule.id


def test_each_form_stands_in_a_file_of_its_name() -> None:
    for path in sorted(BUILT_IN.glob("*.yml")):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["code"] == path.stem
    for path in sorted((BUILT_IN / "code_lists").glob("*.yml")):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["code"] == path.stem


@pytest.mark.parametrize("code", sorted(path.stem for path in BUILT_IN.glob("*.yml")))
def test_a_form_is_told_from_all_others_by_its_printed_labels(
    tmp_path: Path, catalogue: Catalogue, grid: Callable[..., Path], code: str
) -> None:
    form = catalogue[code]
    path = grid(tmp_path / "file.csv", [[field.name_zh for field in form.fields], ["1"] * len(form.fields)])
    found = recognise(read_tables(path, "file.csv")[0], catalogue, "file.csv")
    assert found is not None
    assert found.form.code == code
    assert {column.code for column in found.fields} == {field.code for field in form.fields}
    assert not (found.unknown or found.ambiguous or found.twice or found.missing)


@pytest.mark.parametrize("code", sorted(path.stem for path in BUILT_IN.glob("*.yml")))
def test_any_known_spelling_of_a_label_finds_its_field(
    tmp_path: Path, catalogue: Catalogue, grid: Callable[..., Path], code: str
) -> None:
    form = catalogue[code]
    labels = [field.labels[-1] for field in form.fields]
    path = grid(tmp_path / "file.csv", [[form.name_zh], labels, ["1"] * len(labels)])
    found = recognise(read_tables(path, "file.csv")[0], catalogue, "file.csv")
    assert found is not None
    assert found.form.code == code
    assert {column.code for column in found.fields} == {field.code for field in form.fields}
