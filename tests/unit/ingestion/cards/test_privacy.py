"""Persons in columns where nobody expects them: in the numbers of cards, in words set apart, in a shifted column."""

import polars as pl
import pytest

from ingestion.cards.privacy import misplaced
from ingestion.form import FormField
from ingestion.identifiers import citizen_check_digit

TEXT = FormField(code="remark", labels=("备注",), type="text", role="attribute")


def number(born: str, order: int) -> str:
    body = f"440507{born}{order:03}"
    return body + citizen_check_digit(body)


def found(texts: list[str | None], *, is_key: bool = False, known: tuple[str, ...] = ()) -> list[bool]:
    wrong = misplaced(TEXT, pl.Series(texts, dtype=pl.String), {}, known=known, is_key=is_key)
    return [False] * len(texts) if wrong is None else wrong.to_list()


def test_a_citizen_number_in_place_of_a_cards_number_is_found():
    keys = ["LH201500001", number("19771103", 71), number("19630228", 73).lower(), None]
    assert found(keys, is_key=True) == [False, True, True, False]


def test_numbers_of_cards_that_merely_look_like_citizen_numbers_stay():
    # Region, day and a running number: about one in eleven has the right check digit by chance.
    keys = [f"4405072015030{no:05}" for no in range(10000, 10044)]
    assert any(found([key], is_key=True) != [False] for key in keys)
    assert found(keys, is_key=True) == [False] * len(keys)


def test_one_citizen_number_is_found_beside_one_whose_digits_are_wrong():
    right = number("19771103", 71)
    wrong = right[:17] + ("0" if right[17] != "0" else "1")
    assert found([*[f"LH20150000{no}" for no in range(5)], right, wrong], is_key=True) == [False] * 5 + [
        True,
        False,
    ]


@pytest.mark.parametrize("key", ["13912345678", "+8613912345678", "139-1234-5678", "Gouzao"])
def test_a_mobile_number_or_a_word_in_place_of_a_cards_number_is_found(key):
    assert found([key], is_key=True) == [True]
    assert found(["LH201500001", key, "LH-2015/00002", "20150100003", "K3"], is_key=True) == [
        False, True, False, False, False,
    ]  # fmt: skip


def test_a_column_of_mobile_numbers_in_place_of_cards_numbers_is_found():
    keys = [f"1{3 + no % 7}{no * 37 % 1000:03}{no * 7919 % 1_000_000:06}" for no in range(1, 30)]
    assert found(keys, is_key=True) == [True] * len(keys)


def test_running_numbers_that_begin_like_a_mobile_number_stay():
    # Year, month and a running number.
    keys = [f"1501{no:07}" for no in range(40)]
    assert found(keys, is_key=True) == [False] * len(keys)


@pytest.mark.parametrize(
    "text",
    [
        "440507 19771103 0712", "电话１３９１２３４５６７８", "139 1234 5678", "13912 345678",
        "赵 晓燕", "欧阳晓燕", "欧阳修", "翟晓燕", "张 伟",
    ],
)  # fmt: skip
def test_who_somebody_is_is_found_however_it_is_written(text):
    assert found([text]) == [True]


@pytest.mark.parametrize(
    "text",
    ["霍乱", "柯萨奇", "葛根", "肺 炎", "欧氏管炎", "J18.900", "急性 支气管炎", "黄疸", "12 34", "脑出血"],
)
def test_words_that_are_no_names_stay(text):
    assert found([text]) == [False]


def test_a_column_of_names_holds_no_word_that_is_none():
    column = ["王构造", "李构造", "刘构造", "璩构造", "逯某", "卫构造"]
    assert found(column) == [True] * 6
    causes = ["肺炎", "胃癌", "王构造", "脑出血", "霍乱"]
    assert found(causes) == [False, False, True, False, False]


@pytest.mark.parametrize(
    "text",
    [
        "患者王构造，女，发热三天", "家属李构造电话已核实", "联系人：欧阳构造", "其母张某诉昨日起病",
        "患儿赵构造于昨日入院",
        "Wang Gouzao", "ZHANG, Gou Zao", "Gouzao Li", "seen by Dr. Gouzao", "gouzao@example.org", "转自 a@b.cn",
        "住院号20150012", "病案号：LH-00123",
    ],
)  # fmt: skip
def test_who_somebody_is_is_found_in_sentences_and_latin_letters(text):
    assert found([text]) == [True]


@pytest.mark.parametrize(
    "text",
    [
        "患者高热，头痛", "患者黄疸三天", "病人白细胞升高", "患者于昨日入院", "产妇高龄", "家属否认接触史",
        "Salmonella typhi", "Hepatitis B", "HeLa cells", "EV-A71 positive", "住院号不详", "门诊3次",
    ],
)  # fmt: skip
def test_sentences_about_illnesses_stay(text):
    assert found([text]) == [False]
