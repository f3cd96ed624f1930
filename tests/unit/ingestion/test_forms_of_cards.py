"""Line lists of cases, births, deaths, inspections: every rule of their forms, both ways, card by card."""

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from ingestion.cards.hashing import Hasher
from ingestion.cards.persons import describe_person
from ingestion.checks import CheckContext, check, evaluate
from ingestion.findings import Finding
from ingestion.forms_catalogue import Catalogue
from ingestion.reading import Reading

Card = dict[str, Any]


def day(text: str) -> dt.date:
    """A day written 2023-05-01."""
    return dt.date.fromisoformat(text)


def at(text: str) -> dt.datetime:
    """A moment written 2023-05-01T08:30."""
    return dt.datetime.fromisoformat(text)


_BIRTH: Card = {
    "card_no": "B-1",
    "birth_time": at("2015-03-02T04:10"),
    "sex": "2",
    "gestational_weeks": 39,
    "birth_weight": 3_200,
    "place": "1",
    "fill_date": day("2015-03-02"),
}

# Constructed cards that keep every rule; nobody's.
SOUND: dict[str, Card] = {
    "idr_card": {
        "card_no": "K-1",
        "name": "构造某",
        "birth_date": day("2009-06-01"),
        "workplace": "构造小学三（2）班",
        "address_code": "440507001",
        "occupation": "03",
        "case_class_1": "3",
        "onset_date": day("2015-05-01"),
        "diagnosis_time": at("2015-05-02T09:00"),
        "disease_code": "4000",
        "fill_date": day("2015-05-02"),
        "entry_time": at("2015-05-03T08:00"),
        "county_audit_time": at("2015-05-03T20:00"),
    },
    "birth_card": _BIRTH,
    "birth_defect_card": _BIRTH | {"defect_codes_1": "Q35.9", "defect_codes_2": "Q37.1"},
    "maternal_death_card": {
        "card_no": "M-1",
        "delivery_time": at("2015-03-01T02:00"),
        "death_time": at("2015-04-12T03:00"),
        "death_cause": "O72.1",
    },
    "child_death_card": _BIRTH
    | {"card_no": "D-1", "death_time": at("2015-03-05T10:00"), "death_cause": "P22.0"},
    "death_card": {
        "card_no": "S-1",
        "birth_date": day("1940-01-02"),
        "death_time": at("2015-06-01T05:00"),
        "underlying_cause": "I21.9",
    },
    "supervision_cards": {
        "unit_id": "JD-1",
        "specialty": "SCHOOLS",
        "inspection_date": day("2015-06-01"),
        "report_date": day("2015-06-06"),
    },
    "occupational_case_card": {
        "card_no": "Z-1",
        "case_diagnosis": "矽肺",
        "diagnosis_date": day("2015-06-01"),
        "report_date": day("2015-06-10"),
    },
}
_CHOLERA: Card = {"disease_code": "0200", "occupation": "09"}
_COVID: Card = {
    "disease_code": "COVID19",
    "onset_date": day("2023-01-06"),
    "diagnosis_time": at("2023-01-07T09:00"),
    "fill_date": day("2023-01-07"),
    "entry_time": at("2023-01-07T11:00"),
    "county_audit_time": at("2023-01-07T12:00"),
}
_CLOSED: Card = {"close_date": day("2015-06-20"), "report_date": day("2015-06-25")}

# A change that breaks the rule, and the severity of its finding.
BROKEN: list[tuple[str, str, str, Card]] = [
    ("idr_card", "ID01", "soft", {"onset_date": day("2015-05-03")}),
    ("idr_card", "ID01", "soft", {"fill_date": day("2015-05-01")}),
    ("idr_card", "ID01", "soft", {"entry_time": at("2015-05-01T23:59")}),
    ("idr_card", "ID02", "soft", {"death_date": day("2015-04-30")}),
    ("idr_card", "ID03", "soft", {"entry_time": at("2015-05-03T09:01")}),
    ("idr_card", "ID03A", "soft", _CHOLERA),
    ("idr_card", "ID03A", "soft", _COVID | {"entry_time": at("2023-01-07T11:01")}),
    ("idr_card", "ID04", "soft", {"county_audit_time": at("2015-05-04T08:01")}),
    ("idr_card", "ID04A", "soft", _CHOLERA | {"entry_time": at("2015-05-02T11:00")}),
    ("idr_card", "ID05", "hard", {"workplace": None}),
    ("idr_card", "ID07", "hard", {"disease_code": "MPOX"}),
    ("idr_card", "ID07", "hard", {"disease_code": "AB_TOTAL"}),
    ("idr_card", "ID08", "soft", {"case_class_1": None}),
    ("idr_card", "ID09", "soft", {"address_code": None}),
    ("birth_card", "BD02", "soft", {"gestational_weeks": 19}),
    ("birth_card", "BD03", "soft", {"birth_weight": 3}),
    ("birth_card", "BD04", "soft", {"fill_date": day("2015-03-01")}),
    ("birth_defect_card", "BD02", "soft", {"gestational_weeks": 46}),
    ("birth_defect_card", "BD03", "soft", {"birth_weight": 7_001}),
    ("birth_defect_card", "BD04", "soft", {"fill_date": day("2015-03-01")}),
    ("birth_defect_card", "BD09", "soft", {"defect_codes_2": "P07.0"}),
    ("birth_defect_card", "BD10", "soft", {"defect_codes_1": None}),
    ("maternal_death_card", "BD05", "soft", {"death_time": at("2015-04-13T00:00")}),
    ("maternal_death_card", "BD05", "soft", {"death_time": at("2015-02-28T00:00")}),
    ("maternal_death_card", "BD06", "soft", {"death_cause": "V89.2"}),
    ("child_death_card", "BD02", "soft", {"gestational_weeks": 46}),
    ("child_death_card", "BD03", "soft", {"birth_weight": 299}),
    ("child_death_card", "BD07", "soft", {"death_time": at("2020-03-02T00:00")}),
    ("child_death_card", "BD07", "soft", {"death_time": at("2015-03-01T00:00")}),
    ("child_death_card", "BD08", "soft", {"death_cause": "O60"}),
    ("death_card", "DC01", "soft", {"death_time": at("1939-06-01T05:00")}),
    ("death_card", "DC01S", "soft", {"underlying_cause": "R54"}),
    ("supervision_cards", "SV01", "hard", {"report_date": day("2015-06-07")}),
    ("supervision_cards", "SV01", "hard", {"report_date": day("2015-05-31")}),
    ("supervision_cards", "SV01C", "hard", _CLOSED | {"report_date": day("2015-06-26")}),
    ("supervision_cards", "SV01C", "hard", _CLOSED | {"close_date": day("2015-05-30")}),
    ("occupational_case_card", "OC02", "soft", {"report_date": day("2015-05-31")}),
]
# Changes that look like these but keep every rule.
KEPT: list[tuple[str, Card]] = [
    ("idr_card", {"occupation": "09", "workplace": None}),
    (
        "idr_card",
        _CHOLERA | {"entry_time": at("2015-05-02T11:00"), "county_audit_time": at("2015-05-02T13:00")},
    ),
    ("idr_card", _COVID),
    (
        "idr_card",
        _COVID
        | {
            "diagnosis_time": at("2023-01-08T09:00"),
            "fill_date": day("2023-01-08"),
            "entry_time": at("2023-01-09T09:00"),
            "county_audit_time": at("2023-01-10T09:00"),
        },
    ),
    ("idr_card", {"death_date": day("2015-05-01")}),
    ("child_death_card", {"death_time": at("2020-03-01T00:00"), "death_cause": "W74"}),
    ("supervision_cards", _CLOSED),
]


def reading_of(catalogue: Catalogue, code: str, *cards: Card) -> Reading:
    """A batch of cards as read, without a file."""
    form = catalogue[code]
    columns = {f.code: pl.Series([card.get(f.code) for card in cards], dtype=f.dtype) for f in form.fields}
    numbers = pl.Series(range(1, len(cards) + 1), dtype=pl.Int64)
    records = pl.DataFrame(columns).with_columns(
        pl.lit(1, dtype=pl.Int64).alias("report_no"),
        numbers.alias("record_no"),
        pl.lit(None, dtype=pl.String).alias("null_reasons"),
        pl.lit("").alias("source_sheet"),
        (numbers + 1).alias("source_row"),
        pl.lit(None, dtype=pl.Int64).alias("source_column"),
    )
    when = records[str(form.cards and form.cards.date)].cast(pl.Date)
    reports = pl.DataFrame(
        {
            "report_no": [1],
            "subject_ref": ["440507"],
            "reporter_ref": [None],
            "period_start": [when.min()],
            "period_end": [when.max()],
        },
        schema_overrides={"report_no": pl.Int64, "reporter_ref": pl.String},
    )
    places = [("", f.code, None, number) for number, f in enumerate(form.fields, start=1)]
    schema = {"sheet": pl.String, "field_code": pl.String, "source_row": pl.Int64, "source_column": pl.Int64}
    positions = pl.DataFrame(places, schema=schema, orient="row")
    return Reading(form, form.editions[-1].code, "table", "", reports, records, positions)


def _judge(catalogue: Catalogue, code: str, *cards: Card) -> list[Finding]:
    return check(reading_of(catalogue, code, *cards), CheckContext())


CORRECTED: list[tuple[str, str | None, Card, Card]] = [
    ("idr_card", "ID10", {"case_class_1": "3"}, {"case_class_1": "1"}),
    ("idr_card", None, {"case_class_1": "1"}, {"case_class_1": "3"}),
    ("idr_card", "ID11", {"disease_code": "4000"}, {"disease_code": "1700", "corrected_disease": None}),
    ("idr_card", None, {"disease_code": "4000"}, {"disease_code": "1700", "corrected_disease": "4000"}),
    ("idr_card", "ID12", {"death_date": day("2015-06-01")}, {"death_date": None}),
    ("idr_card", None, {"death_date": None}, {"death_date": day("2015-06-01")}),
    ("idr_card", "ID13", {"onset_date": day("2014-04-30")}, {"onset_date": day("2015-04-30")}),
    ("idr_card", None, {"onset_date": day("2015-04-20")}, {"onset_date": day("2015-04-30")}),
]
"""What a card said earlier and what its correction says, and the rule that this breaks."""


@pytest.mark.parametrize(("code", "rule", "before", "now"), CORRECTED)
def test_a_correction_is_held_against_what_the_card_said_earlier(
    code: str, rule: str | None, before: Card, now: Card, catalogue: Catalogue
) -> None:
    earlier, later = SOUND[code] | before, SOUND[code] | now | {"card_category": "2"}
    reading = reading_of(catalogue, code, later, later | {"card_category": "1"})
    said = {f"previous.{f.code}": pl.lit(earlier.get(f.code), dtype=f.dtype) for f in catalogue[code].fields}
    verdicts = evaluate(
        replace(reading, records=reading.records.with_columns(**said)), CheckContext(), "earlier"
    )
    failed = {
        verdicts.tests[number].rule.id: verdicts.failed[str(number)].to_list() for number in verdicts.failing
    }
    assert failed == ({rule: [True, False]} if rule else {})


def test_every_rule_of_these_forms_has_a_test(catalogue: Catalogue) -> None:
    tested = {(code, rule) for code, rule, *_ in [*BROKEN, *CORRECTED] if rule}
    assert {(code, rule.id) for code in SOUND for rule in catalogue[code].rules} == tested


@pytest.mark.parametrize(("code", "change"), [*((code, {}) for code in SOUND), *KEPT])
def test_a_sound_card_has_no_findings(code: str, change: Card, catalogue: Catalogue) -> None:
    assert _judge(catalogue, code, SOUND[code] | change) == []


@pytest.mark.parametrize(("code", "rule", "severity", "change"), BROKEN)
def test_a_card_that_breaks_a_rule_is_told_alone(
    code: str, rule: str, severity: str, change: Card, catalogue: Catalogue
) -> None:
    found = _judge(catalogue, code, SOUND[code], SOUND[code] | change)
    (finding,) = [finding for finding in found if finding.rule_id == rule]
    assert finding.severity == severity
    assert finding.record_no == (2 if severity == "hard" else None)
    if rule != "DC01S":
        assert str(finding.cell).endswith("3")


@pytest.mark.parametrize("code", SOUND)
def test_blank_fields_break_only_rules_that_ask_for_them(code: str, catalogue: Catalogue) -> None:
    form = catalogue[code]
    asked = {"ID08", "ID09", "BD10"}
    for kept in SOUND[code]:
        dates = {form.cards.date} if form.cards else set()
        card = {name: value for name, value in SOUND[code].items() if name in {kept, *dates}}
        missing = {finding.rule_id for finding in _judge(catalogue, code, card)} - asked
        assert missing == ({"ID05"} if kept == "occupation" else set())


def test_ill_defined_causes_are_told_beyond_one_in_twenty(catalogue: Catalogue) -> None:
    good, vague = SOUND["death_card"], SOUND["death_card"] | {"underlying_cause": "I46.9"}
    assert _judge(catalogue, "death_card", *[good] * 19, vague) == []
    (finding,) = _judge(catalogue, "death_card", *[good] * 18, vague)
    assert (finding.rule_id, finding.severity, finding.record_no) == ("DC01S", "soft", None)


def test_findings_on_a_card_quote_nothing_of_a_person(catalogue: Catalogue) -> None:
    card = SOUND["idr_card"] | {"workplace": None, "address_code": None, "onset_date": day("2015-05-04")}
    for finding in _judge(catalogue, "idr_card", card):
        for told in (finding.message_zh, finding.message_en, finding.value or ""):
            assert "构造某" not in told
            assert "2009" not in told


@pytest.mark.parametrize("code", SOUND)
def test_whoever_is_named_on_a_card_is_hidden(code: str, catalogue: Catalogue) -> None:
    form = catalogue[code]
    assert form.cards is not None
    wordy = ("姓名", "证件号", "身份证", "电话", "住址", "详细地址")
    for item in form.fields:
        if any(word in label for label in item.labels for word in wordy):
            assert item.personal, item.code
    for person in form.cards.persons:
        hashed = [person.citizen_number, *person.otherwise]
        assert any(name and form.by_code[name].personal for name in hashed)


@pytest.mark.parametrize("code", ["birth_defect_card", "child_death_card"])
def test_a_newborn_is_the_same_child_on_every_card(code: str, catalogue: Catalogue) -> None:
    def child(form_code: str, **cells: object) -> str | None:
        cards = catalogue[form_code].cards
        assert cards is not None
        person = next(one for one in cards.persons if one.code == "child")
        columns = {name: pl.Series(name, [value]) for name, value in cells.items()}
        days = pl.Series("day", [day("2015-04-01")])
        found = describe_person(person, columns, days, Hasher(b"a key of the test" * 2))
        key: str | None = found.columns[0].item()
        return key

    mother = "11010519491231002x"
    born = child("birth_card", mother_id=mother, birth_time=at("2015-03-02T04:10"), birth_order=1)
    assert born is not None
    assert child(code, mother_id=mother.upper(), birth_time=at("2015-03-02T00:00"), birth_order=1) == born
    assert child(code, mother_id=mother, birth_time=at("2015-03-02T00:00"), birth_order=2) != born
    assert child(code, mother_id=mother, birth_time=at("2015-03-02T00:00")) is None
