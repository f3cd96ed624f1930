from datetime import date

import polars as pl
import pytest

from ingestion import units
from ingestion.unit_history import ATTRIBUTES, FLAGS, OPEN_END

JANUARY = (date(2015, 1, 1), date(2015, 1, 31))


def spell(
    key: int, code: str, start: date, end: date = OPEN_END, *, is_open: bool = True, **attributes
) -> dict:
    return {
        "organization_key": key,
        "organization_code": code,
        "valid_from": start,
        "valid_to": end,
        "is_open": is_open,
        **dict.fromkeys(ATTRIBUTES),
        **attributes,
    }


@pytest.fixture
def versions() -> pl.DataFrame:
    rows = [
        spell(1, "X-1", date(2010, 1, 1), date(2014, 7, 1), name_zh="甲医院", uscc="91350100M000100Y43"),
        spell(
            1, "X-1", date(2014, 7, 1), name_zh="甲 中心医院", uscc="91350100M000100Y43", class_code="A100"
        ),
        spell(2, "X-2", date(2010, 1, 1), date(2014, 12, 1), name_zh="乙卫生院"),
        spell(2, "X-2", date(2014, 12, 1), is_open=False, name_zh="乙卫生院"),
        spell(3, "X-3", date(2010, 1, 1), name_zh="同名诊所"),
        spell(4, "X-4", date(2010, 1, 1), name_zh="同名诊所"),
        spell(5, "X-5", date(2015, 6, 1), name_zh="甲医院"),
    ]
    texts = {name: pl.Boolean if name in FLAGS else pl.String for name in ATTRIBUTES}
    return pl.DataFrame(rows, schema_overrides={"organization_key": pl.Int32, **texts})


def resolve(versions: pl.DataFrame, ref: str, name: str | None = None, known=None) -> pl.DataFrame:
    wanted = pl.DataFrame(
        {
            "report_no": [1],
            "sheet": ["Sheet1"],
            "subject_ref": [ref],
            "subject_name": pl.Series([name], dtype=pl.String),
            "period_start": [JANUARY[0]],
            "period_end": [JANUARY[1]],
        }
    )
    return units.resolve(wanted, units.identifiers(versions) if known is None else known)


@pytest.mark.parametrize(
    "ref", ["X-1", "x-1", "91350100M000100Y43", "M000100Y4", "甲中心医院", "甲中心医院 ", "Ｘ-1"]
)
def test_unit_is_found_by_code_national_code_or_name(versions, ref):
    row = resolve(versions, ref).row(0, named=True)
    assert row["organization_code"] == "X-1"
    assert row["in_period"]


def test_name_of_another_time_is_found_with_a_warning(versions):
    known = units.identifiers(versions.filter(pl.col("organization_key") == 1))
    reports = resolve(versions, "甲医院", known=known)
    assert reports["organization_code"].to_list() == ["X-1"]
    assert [found.rule_id for found in units.findings(reports, known)] == ["UNIT_NAME_OUTDATED"]


def test_name_that_two_units_had_at_other_times_is_ambiguous(versions):
    row = resolve(versions, "甲医院").row(0, named=True)
    assert row["organization_key"] is None
    assert row["candidates"] == 2


def test_ambiguous_name_is_a_hard_finding(versions):
    (found,) = units.findings(resolve(versions, "同名诊所"), units.identifiers(versions))
    assert (found.rule_id, found.severity) == ("UNIT_AMBIGUOUS", "hard")


def test_unknown_unit_is_answered_with_similar_names(versions):
    (found,) = units.findings(resolve(versions, "甲中心医完"), units.identifiers(versions))
    assert (found.rule_id, found.severity, found.value) == ("UNIT_UNKNOWN", "hard", "甲中心医完")
    assert "甲中心医院（X-1）" in found.message_zh


def test_code_of_one_unit_with_the_name_of_another_is_a_hard_finding(versions):
    (found,) = units.contradictions(resolve(versions, "X-1", "乙卫生院"), units.identifiers(versions))
    assert (found.rule_id, found.severity) == ("UNIT_CONTRADICTION", "hard")


def test_spelling_variant_of_a_name_beside_a_code_is_no_contradiction(versions):
    assert (
        units.contradictions(resolve(versions, "X-1", "甲中心医院（本部）"), units.identifiers(versions))
        == []
    )


def test_attributes_are_those_of_the_period(versions):
    (row,) = units.attributes(resolve(versions, "X-1"), versions).to_dicts()
    assert row["class_code"] == "A100"
    assert row["name_zh"] == "甲 中心医院"


def test_report_of_a_closed_unit_is_a_warning(versions):
    reports = resolve(versions, "X-2")
    (found,) = units.closed(reports, units.attributes(reports, versions))
    assert (found.rule_id, found.severity) == ("UNIT_CLOSED", "soft")


def test_a_region_is_named_by_its_code_alone():
    refs = ["440507", "440507001", "440507001000", "龙湖区", "4405"]
    reports = pl.DataFrame({"report_no": range(5), "sheet": ["s"] * 5, "subject_ref": refs})
    found = units.regions(reports)
    assert [(one.rule_id, one.severity, one.value) for one in found] == [
        ("UNIT_UNKNOWN", "hard", "龙湖区"),
        ("UNIT_UNKNOWN", "hard", "4405"),
    ]
