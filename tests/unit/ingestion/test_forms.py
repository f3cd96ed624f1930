"""Forms are data: built-in ones load, mistakes name file and line, a folder adds more."""

import datetime as dt
from pathlib import Path

import pytest

from ingestion.checks import CheckContext, check
from ingestion.errors import FormError
from ingestion.forms_catalogue import Catalogue, load_forms
from tests.unit.ingestion.readings import day, reading_of

FORM = """\
code: bed_count
name_zh: 床位快报
name_en: Bed count
subject: {type: organization, identify_by: [org_name], name: org_name}
period: {type: month, fields: [month]}
due: {months_after: 1, day: 31}
editions:
  - {code: old, name_zh: 旧版, valid_from: 2014-01-01, valid_to: 2015-01-01}
  - {code: new, name_zh: 新版, valid_from: 2015-01-01}
fields:
  - {code: org_name, labels: [机构名称], type: text, role: identity}
  - {code: month, labels: [月份], type: date, role: identity}
  - {code: beds, labels: [床位数], type: int, nature: stock}
  - {code: beds_icu, labels: [重症床位数], type: int, nature: stock, editions: [new]}
layouts:
  - {code: table, kind: table}
rules:
  - id: BC01
    severity: hard
    check: beds_icu <= beds
    message_zh: 重症床位不能大于床位
    message_en: intensive-care beds cannot exceed beds
"""


def _site(tmp_path: Path, text: str) -> Path:
    (tmp_path / "bed_count.yml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_built_in_forms_load_with_all_they_include(catalogue: Catalogue) -> None:
    hospital, phc = catalogue["inst_annual_hospital"], catalogue["inst_annual_phc"]
    assert {f.code for f in hospital.fields} < {f.code for f in phc.fields}
    assert {rule.id for rule in hospital.rules} < {rule.id for rule in phc.rules}
    assert phc.by_code["served_population"].required
    assert "disease" in catalogue["idr_monthly"].definition()["code_lists"]


def test_money_declares_its_conversion(catalogue: Catalogue) -> None:
    revenue = catalogue["hosp_monthly"].by_code["revenue_medical"]
    assert (revenue.source_unit, revenue.unit, revenue.factor) == ("千元", "元", 1000)


@pytest.mark.parametrize(
    ("form", "period_end", "due"),
    [
        ("hosp_monthly", dt.date(2015, 12, 31), dt.date(2016, 1, 20)),
        ("inst_annual_phc", dt.date(2015, 12, 31), dt.date(2016, 1, 20)),
        ("mch_maternal_annual", dt.date(2015, 9, 30), dt.date(2015, 10, 12)),
        ("idr_monthly", dt.date(2015, 2, 28), dt.date(2015, 3, 10)),
    ],
)
def test_due_dates(catalogue: Catalogue, form: str, period_end: dt.date, due: dt.date) -> None:
    assert catalogue[form].due_on(period_end) == due


def test_a_folder_adds_a_form_with_editions(tmp_path: Path) -> None:
    form = load_forms(folders=(_site(tmp_path, FORM),))["bed_count"]
    assert form.due_on(dt.date(2015, 1, 31)) == dt.date(2015, 2, 28)
    old, new = (form.edition_at(day) for day in (dt.date(2014, 6, 1), dt.date(2015, 1, 1)))
    assert old is not None
    assert new is not None
    assert [f.code for f in form.fields_of(old.code)] == ["org_name", "month", "beds"]
    assert new.code == "new"
    assert form.edition_at(dt.date(2013, 1, 1)) is None


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (("kind: table}", "kind: table, widht: 3}"), 16, "unknown key"),
        (("type: int, nature: stock}", "type: integer, nature: stock}"), 13, "type"),
        (("beds_icu <= beds\n", "beds_icu <= bed\n"), 20, "no field bed"),
        (("beds_icu <= beds\n", "open('x') <= beds\n"), 20, "no function open"),
        (("beds_icu <= beds\n", "beds_icu.__class__ == beds\n"), 20, "dot"),
        (("beds_icu <= beds\n", "beds_icu <=\n"), 20, "no expression"),
        (("fields: [month]}", "fields: [mnth]}"), 5, "no field mnth"),
        (("valid_from: 2015-01-01}", "valid_from: 2014-06-01}"), 7, "overlap"),
        (("name_en: Bed count", "name_zh: 再来一次"), 3, "twice"),
        (("editions: [new]", "editions: [newer]"), 14, "no edition newer"),
        (("labels: [月份], type: date", "labels: [月份], type: date, code_list: x"), 12, "code_list"),
    ],
)
def test_a_mistake_names_file_and_line(tmp_path: Path, change: tuple[str, str], line: int, word: str) -> None:
    site = _site(tmp_path, FORM.replace(*change))
    with pytest.raises(FormError) as error:
        load_forms(folders=(site,))
    assert error.value.context["line"] == line
    assert f"bed_count.yml, line {line}" in str(error.value)
    assert word in str(error.value)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="does not exist"):
        load_forms(folders=(tmp_path / "nowhere",))


CARDS = """\
code: visit_card
name_zh: 走访卡
name_en: Visit card
subject: {type: region, from_source: true}
period: {type: event}
cards: {noun_zh: 走访卡, key: [card_no], date: visited, persons: [{code: who, citizen_number: id_no}]}
editions:
  - {code: all, name_zh: 历年}
fields:
  - {code: card_no, labels: [卡号], type: code, role: attribute}
  - {code: id_no, labels: [身份证号], type: code, role: attribute, personal: citizen_number}
  - {code: visited, labels: [走访日期], type: date, role: attribute}
  - {code: finding, labels: ["发现{n}"], type: code, role: attribute, code_list: visit_finding, repeat: 3}
  - {code: found_on, labels: ["发现日期{n}"], type: date, role: attribute, repeat: 3}
rules:
  - id: VC01
    severity: hard
    for_each: [finding]
    when: is_given(value)
    check: is_given(found_on_n) and code_valid(value, visited)
    message_zh: 每项发现须有日期，且在走访日有效
    message_en: each finding needs its date and a code valid on the day of the visit
statements:
  - {id: VC02, text_zh: 每户每年至少一次, why: 由汇总核对}
"""
FINDINGS = """\
code: visit_finding
name_zh: 走访发现
source: constructed
codes:
  - {code: "1", labels: [旧项], valid_to: 2015-01-01}
  - {code: "2", labels: [新项], valid_from: 2015-01-01}
"""


def _cards(tmp_path: Path, text: str = CARDS) -> Path:
    (tmp_path / "visit_card.yml").write_text(text, encoding="utf-8")
    (tmp_path / "code_lists").mkdir()
    (tmp_path / "code_lists" / "visit_finding.yml").write_text(FINDINGS, encoding="utf-8")
    return tmp_path


def test_a_repeated_field_stands_as_often_as_it_says(tmp_path: Path) -> None:
    form = load_forms(folders=(_cards(tmp_path),))["visit_card"]
    assert [f.code for f in form.fields][3:] == [
        *("finding_1", "found_on_1", "finding_2", "found_on_2", "finding_3", "found_on_3"),
    ]
    assert form.by_code["finding_2"].labels == ("发现2",)
    assert form.rules[0].for_each == ("finding_1", "finding_2", "finding_3")
    assert form.statements[0].id == "VC02"


def test_a_code_counts_on_its_days_and_a_card_is_set_aside_alone(tmp_path: Path) -> None:
    site = load_forms(folders=(_cards(tmp_path),))
    good = {"card_no": "1", "visited": day("2015-06-01"), "finding_2": "2", "found_on_2": day("2015-06-01")}
    late = good | {"card_no": "2", "finding_2": "1"}
    early = late | {"card_no": "3", "visited": day("2014-06-01")}
    undated = good | {"card_no": "4", "found_on_2": None}
    unknown = good | {"card_no": "5", "visited": None}
    found = check(reading_of(site, "visit_card", good, late, early, undated, unknown), CheckContext())
    assert [(one.rule_id, one.record_no, one.field_code) for one in found] == [
        ("VC01", 2, "finding_2"),
        ("VC01", 4, "finding_2"),
    ]


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (("key: [card_no]", "key: [number]"), 6, "no field number"),
        (("date: visited,", "date: visit,"), 6, "no field visit"),
        (("citizen_number: id_no", "citizen_number: id"), 6, "no field id"),
        (("[卡号], type: code, role: attribute", "[卡号], type: int, nature: stock"), 10, "attributes"),
        (('["发现{n}"]', "[发现]"), 13, "{n}"),
        (("code_valid(value, visited)", "code_valid(card_no, visited)"), 20, "no code list"),
        (("found_on_n", "found_n"), 20, "no field found_1"),
        (("code_valid(value, visited)", "visited > previous(visited)"), 20, "soft rule"),
        (("when: is_given(value)", "when: is_given(previous(visited))"), 19, "`when`"),
        (("id: VC02", "id: VC01"), 24, "rule already"),
    ],
)
def test_a_mistake_in_a_line_list_names_file_and_line(
    tmp_path: Path, change: tuple[str, str], line: int, word: str
) -> None:
    site = _cards(tmp_path, CARDS.replace(*change))
    with pytest.raises(FormError) as error:
        load_forms(folders=(site,))
    assert error.value.context["line"] == line
    assert word in str(error.value)
