"""Persons on cards: from who they are to a keyed hash, an age band and a township. Nothing else of them goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from ingestion.cards.hashing import Hasher
from ingestion.form import Person
from ingestion.identifiers import citizen_numbers, day_numbers, modern_citizen_number

OLDEST = 85
"""Years from which all ages are one band."""

BANDS = ("<1", "1-4", *(f"{age}-{age + 4}" for age in range(5, OLDEST, 5)), f"{OLDEST}+")

_BAND_NAMES = pl.lit(pl.Series(list(BANDS), dtype=pl.String))

# Which of the two ways a person was identified by; the same text means another person in each.
_BY_NUMBER, _BY_DETAILS = "number\x1f", "details\x1f"


@dataclass
class PersonColumns:
    """What remains of a person in a batch, and where the card contradicts itself.

    ``columns``: ``<code>_key``, ``<code>_age_band``, ``<code>_township``. ``wrong_number``: an 18- or 15-digit number
    whose digits cannot be right. ``disagrees``: by field, cards whose birth date or sex is not the number's.
    """

    columns: list[pl.Series] = field(default_factory=list)
    wrong_number: pl.Series | None = None
    disagrees: dict[str, pl.Series] = field(default_factory=dict)


def normalised_number(numbers: pl.Series) -> pl.Series:
    """Citizen numbers in the form that is compared: no spaces or dashes, capital X, eighteen digits."""
    plain = numbers.str.contains(r"^[0-9]{17}[0-9X]$").fill_null(value=True)
    if plain.all():
        return numbers
    rest = numbers.filter(~plain).str.normalize("NFKC").str.replace_all(r"[\s\-_]", "").str.to_uppercase()
    old = rest.str.contains(r"^[0-9]{15}$")
    if old.any():
        modern = [modern_citizen_number(text) for text in rest.filter(old)]
        rest = rest.scatter(old.arg_true(), pl.Series(modern, dtype=pl.String))
    return numbers.clone().scatter((~plain).arg_true(), rest)


def describe_person(
    person: Person, cells: Mapping[str, pl.Series], days: pl.Series, hasher: Hasher
) -> PersonColumns:
    """Turn a person's typed fields into what may be stored.

    ``cells`` holds the fields by their code as far as the file has them; ``days`` are the dates of the cards.
    """
    found = PersonColumns()
    height = len(days)
    born = cells.get(person.birth_date or "")
    born = born if born is None else born.cast(pl.Date)
    number = cells.get(person.citizen_number or "")
    valid = pl.Series([False], dtype=pl.Boolean).new_from_index(0, height)
    if number is not None:
        inside = citizen_numbers(number, born)
        if not inside["valid"].all():
            number = normalised_number(number)
            inside = citizen_numbers(number, born)
        valid = inside["valid"].fill_null(value=False)
        if not valid.all():
            shaped = number.str.contains(r"^[0-9]{17}[0-9X]$|^[0-9]{15}$").fill_null(value=False)
            found.wrong_number = shaped & ~valid
        if born is not None:
            found.disagrees[str(person.birth_date)] = _differ(born, inside["born"])
            born = born.zip_with(born.is_not_null(), inside["born"]) if born.null_count() else born
        else:
            born = inside["born"]
        sex = cells.get(person.sex or "")
        if sex is not None:
            found.disagrees[str(person.sex)] = valid & (
                ((sex == "1") & ~inside["male"]) | ((sex == "2") & inside["male"])
            ).fill_null(value=False)
    found.columns.append(_key(person, number, valid, cells, hasher).alias(f"{person.code}_key"))
    if person.birth_date or person.citizen_number:
        born = _nothing(pl.Date(), height) if born is None else born
        found.columns.append(age_bands(born, days).alias(f"{person.code}_age_band"))
    if person.address_code:
        code = cells.get(person.address_code)
        towns = _nothing(pl.String(), height)
        if code is not None:
            whole = code.str.contains(r"^[0-9]{9}(?:[0-9]{3})?$")
            short = whole.all(ignore_nulls=False) and code.str.len_bytes().max() == 9
            towns = code if short else code.str.head(9).set(~whole.fill_null(value=False), None)
        found.columns.append(towns.alias(f"{person.code}_township"))
    return found


def _differ(one: pl.Series, other: pl.Series) -> pl.Series:
    """Where both are given and are not the same."""
    return (one != other).fill_null(value=False)


def age_bands(born: pl.Series, days: pl.Series) -> pl.Series:
    """Age band on a day; null where either date is unknown or the day is before birth."""
    frame = pl.DataFrame([born.cast(pl.Date).alias("born"), days.cast(pl.Date).alias("day")])
    # The difference of dates as whole numbers (20150105), cut behind the fourth digit, is the age in years.
    first, last = day_numbers(frame, "born", "day")
    lived = last - first
    years = lived // 10_000
    band = (
        pl.when(years >= 5)
        .then(pl.min_horizontal(years // 5 + 1, len(BANDS) - 1))
        .otherwise(years.clip(0, 1))
    )
    return frame.select(_BAND_NAMES.gather(pl.when(lived >= 0).then(band).cast(pl.UInt32))).to_series()


def _key(
    person: Person,
    number: pl.Series | None,
    valid: pl.Series,
    cells: Mapping[str, pl.Series],
    hasher: Hasher,
) -> pl.Series:
    """The keyed hash: of the citizen number, else of the details that stand in for it, all of them being given."""
    height = len(valid)
    if number is not None and valid.all():
        by_number = pl.concat_str(pl.lit(_BY_NUMBER), "who")
        return number.to_frame("who").select(hasher.hashed(by_number)).to_series()
    who = _nothing(pl.String(), height)
    if number is not None:
        who = (
            number.to_frame("n").select(pl.concat_str(pl.lit(_BY_NUMBER), "n")).to_series().set(~valid, None)
        )
    details = [_comparable(cells[code]) for code in person.otherwise if code in cells]
    if details and len(details) == len(person.otherwise):
        by_details = (
            pl.DataFrame([detail.alias(str(place)) for place, detail in enumerate(details)])
            .select(pl.concat_str(pl.lit(_BY_DETAILS), pl.concat_str(pl.all(), separator="\x1f")))
            .to_series()
        )
        who = who.zip_with(who.is_not_null(), by_details)
    return who.to_frame("who").select(hasher.hashed(pl.col("who"))).to_series()


def _comparable(cells: pl.Series) -> pl.Series:
    """A detail without what people write in different ways: widths, spaces, capitals, a time of day."""
    if isinstance(cells.dtype, pl.Datetime):
        cells = cells.cast(pl.Date)
    text = cells if cells.dtype == pl.String else cells.cast(pl.String)
    return text.str.normalize("NFKC").str.replace_all(r"\s", "").str.to_uppercase()


def _nothing(dtype: pl.DataType, height: int) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, height)
