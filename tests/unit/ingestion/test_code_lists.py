"""Code lists: every label means one code, and what changed by law or programme changes on its day."""

import datetime as dt
from pathlib import Path

import pytest

from ingestion.form import CodeList
from ingestion.forms_catalogue import BUILT_IN, Catalogue
from ingestion.marked_yaml import load

LISTS = sorted((BUILT_IN / "code_lists").glob("*.yml"))


@pytest.mark.parametrize("path", LISTS, ids=[path.stem for path in LISTS])
def test_every_code_and_label_means_its_code(path: Path) -> None:
    data, _ = load(path)
    codes = CodeList.model_validate(data)
    assert codes.code == path.stem
    assert len(codes.source) > 5
    for code in codes.codes:
        for text in (code.code, *code.labels):
            assert codes.code_of(text) == code.code, text


def test_every_list_is_used_by_a_form(catalogue: Catalogue) -> None:
    used = {name for form in catalogue.values() for name in form.code_lists}
    assert used == {path.stem for path in LISTS}


# Classes A, B and C: the laws of 1989, 2004 and 2025 and the notices between them.
@pytest.mark.parametrize(
    ("day", "counts"),
    [
        ("2005-01-01", (2, 25, 10)),
        ("2008-05-01", (2, 25, 10)),
        ("2008-05-02", (2, 25, 11)),
        ("2009-04-29", (2, 25, 11)),
        ("2009-04-30", (2, 26, 11)),
        ("2013-12-01", (2, 26, 11)),
        ("2020-01-19", (2, 26, 11)),
        ("2020-01-20", (2, 27, 11)),
        ("2023-09-19", (2, 27, 11)),
        ("2023-09-20", (2, 28, 11)),
        ("2025-08-31", (2, 28, 11)),
        ("2025-09-01", (2, 27, 11)),
    ],
)
def test_as_many_diseases_are_notifiable_as_the_law_of_the_day_lists(
    day: str, counts: tuple[int, int, int], catalogue: Catalogue
) -> None:
    when = dt.date.fromisoformat(day)
    listed = catalogue["idr_monthly"].code_lists["disease"]
    classes = [
        spell.class_
        for code in listed.codes
        for spell in code.spells
        if spell.overlaps(when, when) and spell.parent in {"AB_TOTAL", "C_TOTAL"} and spell.class_ != "total"
    ]
    assert tuple(classes.count(letter) for letter in "ABC") == counts


def test_what_is_only_watched_counts_in_no_total(catalogue: Catalogue) -> None:
    listed = catalogue["idr_card"].code_lists["disease"]
    watched = [code for code in listed.codes if code.class_ == "monitored"]
    assert {"HIV", "VARICELLA"} <= {code.code for code in watched}
    assert not [code.code for code in watched if code.parent]


@pytest.mark.parametrize(
    ("vaccine", "day", "ages"),
    [
        ("DTaP", "2024-12-31", "3月龄、4月龄、5月龄、18月龄"),
        ("DTaP", "2025-01-01", "2月龄、4月龄、6月龄、18月龄、6周岁"),
        ("MMR", "2020-05-31", "18月龄"),
        ("MMR", "2020-06-01", "8月龄、18月龄"),
    ],
)
def test_the_schedule_of_a_vaccine_is_that_of_the_day(
    vaccine: str, day: str, ages: str, catalogue: Catalogue
) -> None:
    when = dt.date.fromisoformat(day)
    code = catalogue["epi_monthly"].code_lists["vaccine"].by_code[vaccine]
    assert [spell.class_ for spell in code.spells if spell.overlaps(when, when)] == [ages]


def test_a_vaccine_is_not_given_before_its_programme(catalogue: Catalogue) -> None:
    hpv = catalogue["epi_monthly"].code_lists["vaccine"].by_code["HPV"]
    assert not hpv.overlaps(dt.date(2025, 11, 9), dt.date(2025, 11, 9))
    assert hpv.overlaps(dt.date(2025, 11, 10), dt.date(2025, 11, 10))


def test_the_nationalities_of_the_standard_are_all_there(catalogue: Catalogue) -> None:
    listed = catalogue["death_card"].code_lists["ethnicity"]
    assert [code.code for code in listed.codes] == [*(f"{n:02d}" for n in range(1, 57)), "97", "98"]
    assert [listed.code_of(name) for name in ("汉族", "汉", "维吾尔", "基诺族")] == ["01", "01", "05", "56"]
