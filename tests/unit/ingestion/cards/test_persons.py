"""Who is on a card: the same person by whatever way they are written, their age on the day, their township."""

from datetime import date

import polars as pl
import pytest

from ingestion.cards.hashing import Hasher
from ingestion.cards.persons import BANDS, age_bands, describe_person
from ingestion.cards.privacy import misplaced
from ingestion.form import FormField, Person

NUMBER = "11010519491231002X"
PATIENT = Person(
    code="patient",
    citizen_number="id_no",
    otherwise=("name", "birth_date", "phone"),
    birth_date="birth_date",
    sex="sex",
    address_code="address_code",
)


def described(**cells: object) -> dict[str, object]:
    columns = {
        code: pl.Series(code, [value], dtype=pl.Date if code == "birth_date" else pl.String)
        for code, value in cells.items()
    }
    days = pl.Series([date(2015, 1, 5)])
    found = describe_person(PATIENT, columns, days, Hasher(b"key"))
    row = {column.name: column.item() for column in found.columns}
    row["wrong"] = bool(found.wrong_number is not None and found.wrong_number.item())
    row["disagrees"] = {code for code, wrong in found.disagrees.items() if wrong.item()}
    return row


@pytest.mark.parametrize(
    "number",
    [
        NUMBER,
        "11010519491231002x",
        " 110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105491231002",
    ],
)
def test_a_number_is_the_same_person_however_it_is_written(number):
    assert described(id_no=number)["patient_key"] == Hasher(b"key").of(f"number\x1f{NUMBER}")


def test_without_a_valid_number_the_details_say_who_it_is():
    born = date(1980, 5, 7)
    by_details = described(id_no=None, name="构造 人", birth_date=born, phone="13800000001")
    assert (
        by_details["patient_key"]
        == described(id_no="护照1", name="构造人", birth_date=born, phone="１３８００００００01")[
            "patient_key"
        ]
    )
    assert (
        by_details["patient_key"]
        != described(id_no=None, name="构造人", birth_date=born, phone="13800000002")["patient_key"]
    )


def test_with_a_detail_missing_nobody_can_say_who_it_is():
    assert (
        described(id_no=None, name="构造人", birth_date=date(1980, 5, 7), phone=None)["patient_key"] is None
    )


def test_birth_date_and_sex_agree_with_the_number_or_are_told():
    assert described(id_no=NUMBER, birth_date=date(1949, 12, 31), sex="2")["disagrees"] == set()
    assert described(id_no=NUMBER, birth_date=date(1949, 12, 30), sex="1")["disagrees"] == {
        "birth_date",
        "sex",
    }
    assert described(id_no=NUMBER, sex="9")["disagrees"] == set()


def test_a_number_of_the_right_shape_and_wrong_digits_is_told_and_no_other_document_is():
    assert described(id_no="110105194912310021")["wrong"]
    assert not described(id_no="E12345678")["wrong"]


@pytest.mark.parametrize(
    ("code", "township"),
    [("440507001", "440507001"), ("440507001002", "440507001"), ("440507", None), ("龙湖区", None)],
)
def test_the_township_is_in_the_first_nine_digits(code, township):
    assert described(address_code=code)["patient_township"] == township


@pytest.mark.parametrize(
    ("born", "day", "band"),
    [
        (date(2014, 1, 6), date(2015, 1, 5), "<1"),
        (date(2014, 1, 5), date(2015, 1, 5), "1-4"),
        (date(2010, 1, 6), date(2015, 1, 5), "1-4"),
        (date(2010, 1, 5), date(2015, 1, 5), "5-9"),
        (date(1930, 1, 6), date(2015, 1, 5), "80-84"),
        (date(1930, 1, 5), date(2015, 1, 5), "85+"),
        (date(1900, 1, 1), date(2015, 1, 5), "85+"),
        (date(1996, 2, 29), date(2015, 2, 28), "15-19"),
        (date(2015, 1, 6), date(2015, 1, 5), None),
        (None, date(2015, 1, 5), None),
        (date(2015, 1, 5), None, None),
    ],
)
def test_the_age_band_is_that_of_the_day(born, day, band):
    column = age_bands(pl.Series([born], dtype=pl.Date), pl.Series([day], dtype=pl.Date))
    assert column.item() == band
    assert band is None or band in BANDS


def text_field(kind: str = "text") -> FormField:
    return FormField(code="f", labels=("F",), type=kind, role="attribute")


@pytest.mark.parametrize(
    "text",
    [
        "患者电话13912345678",
        "0754-88612345",
        "身份证440507198005070017",
        "金砂路88号3栋502",
        "赵构造",
        "构造乙某",
        "440507800507001",
    ],
)
def test_who_somebody_is_is_seen_in_a_stored_column(text):
    found = misplaced(
        text_field(), pl.Series([text, "手足口病"]), {"name": pl.Series(["构造乙某", "构造人"])}
    )
    assert found is not None
    assert found.to_list() == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "高血压",
        "白内障",
        "水痘",
        "康复科",
        "2015年第3批",
        "农民",
        "内科",
        "J18.900",
        "440507001",
        "20150105",
        "石棉肺",
    ],
)
def test_what_only_looks_like_it_is_kept(text):
    assert (
        misplaced(text_field(), pl.Series([text]), {"name": pl.Series(["构造乙某"])}, known=["农民"]) is None
    )


@pytest.mark.parametrize(
    "text", ["440507201501050012", "LH2015-0001", "20150105678", "4405072015010100010001"]
)
def test_numbers_of_cards_may_be_as_long_as_those_of_persons(text):
    assert misplaced(text_field(), pl.Series([text]), {"id_no": pl.Series(["x"])}, is_key=True) is None


@pytest.mark.parametrize("text", ["构造人", "440507198005070017"])
def test_the_number_of_a_card_is_not_its_persons(text):
    persons = {"id_no": pl.Series(["440507198005070017"]), "name": pl.Series(["构造人"])}
    assert misplaced(text_field(), pl.Series([text]), persons, is_key=True) is not None


def test_a_telephone_is_no_count():
    field = FormField(code="f", labels=("F",), type="int", role="attribute")
    assert misplaced(field, pl.Series([3, 13_912_345_678]), {}).to_list() == [False, True]
    assert misplaced(field, pl.Series([3, 2_000_000]), {}) is None
