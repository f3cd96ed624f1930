"""Constructed reports of public-health forms through the intake: what lies in raw, and what other reports add."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ingestion.forms_catalogue import load_forms

FORMS = load_forms()


def send(
    bureau: Any, code: str, name: str, rows: Sequence[Mapping[str, object]], source: str = "cdc"
) -> None:
    """Rows of a form (field code to cell) as a CSV file into an inbox."""
    form = FORMS[code]
    columns = list(rows[0])
    lines = [",".join(form.by_code[column].name_zh for column in columns)]
    lines += [",".join(str(row.get(column, "")) for column in columns) for row in rows]
    bureau.send_bytes(name, "\n".join(lines).encode(), day=400 + bureau.sent, source=source)


def findings(bureau: Any, form: str) -> list[tuple[str, str]]:
    """Rules told on the reports of a form, with their severity."""
    return bureau.rows(
        "select distinct f.rule_id, f.severity from registry.finding as f"
        " inner join registry.revision as v on v.revision_id = f.revision_id"
        " inner join registry.report as r on r.report_id = v.report_id where r.form_code = :form order by 1",
        form=form,
    )


def test_vaccines_doses_and_residents_lie_in_raw_and_last_month_is_remembered(bureau: Any) -> None:
    def month(text: str, due: int, given: int) -> list[dict[str, object]]:
        return [
            {
                "org_code": "T-9",
                "month": text,
                "vaccine": "乙肝疫苗",
                "dose_no": dose,
                "residence_class": residence,
                "due_basic": due * times,
                "given_basic": given * times,
            }
            for dose in ("第1剂", "第2剂")
            for residence, times in (("本地", 2), ("流动", 1), ("合计", 3))
        ]

    send(bureau, "epi_monthly", "一月.csv", month("2015-01", 50, 40))
    bureau.take_in("cdc")
    assert bureau.revisions("T-9") == [(1, "accepted")]
    assert bureau.rows(
        "select vaccine, dose_no, residence_class, due_basic, given_basic from raw.epi_monthly order by 2, 3"
    )[:3] == [("HepB", "1", "0", 150, 120), ("HepB", "1", "1", 100, 80), ("HepB", "1", "2", 50, 40)]
    send(bureau, "epi_monthly", "二月.csv", month("2015-02", 9, 9))
    bureau.take_in("cdc")
    assert bureau.revisions("T-9", date(2015, 2, 1)) == [(1, "accepted_with_warnings")]
    assert findings(bureau, "epi_monthly") == [("EP04", "soft")]


def test_newborns_are_held_against_the_maternal_table_of_the_year(bureau: Any) -> None:
    children = {
        "region_code": "440507",
        "mch_year": 2015,
        "children_lt7": 45_000,
        "children_lt5": 33_000,
        "children_lt3": 20_000,
        "deaths_under5": 9,
        "deaths_infant": 6,
        "newborns_visited": 7_197,
        "newborns_screened_pku": -2,
    }
    mothers = {
        "region_code": "440507",
        "mch_year": 2015,
        "live_births": 7_196,
        "women_delivered": 7_150,
        "women_systematic_managed": 7_036,
        "maternal_deaths": 0,
    }
    send(bureau, "mch_maternal_annual", "孕产妇.csv", [mothers])
    bureau.take_in("cdc")
    send(bureau, "mch_child_annual", "儿童.csv", [children])
    bureau.take_in("cdc")
    assert findings(bureau, "mch_child_annual") == [("MC10", "soft")]
    assert bureau.rows("select newborns_screened_pku, null_reasons from raw.mch_child_annual") == [
        (None, {"newborns_screened_pku": "not_carried_out"})
    ]
    send(bureau, "mch_child_annual", "儿童（订正）.csv", [children | {"newborns_visited": 7_100}])
    bureau.take_in("cdc")
    assert [status for _, status in bureau.revisions("440507", date(2014, 10, 1))].count("accepted") == 2


def test_a_year_and_a_quarter_of_the_same_table_are_two_reports(bureau: Any) -> None:
    quarter = {
        "region_code": "440507",
        "children_lt7": 45_000,
        "children_lt5": 33_000,
        "children_lt3": 20_000,
        "deaths_under5": 9,
        "deaths_infant": 6,
    }
    send(bureau, "mch_child_annual", "a.csv", [quarter | {"mch_year": 2015}])
    send(
        bureau, "mch_child_quarterly", "q.csv", [quarter | {"quarter": "2015年第三季度", "deaths_infant": 10}]
    )
    bureau.take_in("cdc")
    assert bureau.rows(
        "select r.form_code, r.period_start, r.period_end, v.status from registry.report as r"
        " inner join registry.revision as v on v.report_id = r.report_id order by 1"
    ) == [
        ("mch_child_annual", date(2014, 10, 1), date(2015, 9, 30), "accepted"),
        ("mch_child_quarterly", date(2015, 7, 1), date(2015, 9, 30), "quarantined"),
    ]
    assert findings(bureau, "mch_child_quarterly") == [("MC02", "hard")]


def test_batches_of_cards_are_accepted_without_their_faulty_cards(bureau: Any) -> None:
    inspections = [
        {
            "unit_id": f"JD-{number}",
            "specialty": "学校卫生",
            "inspection_date": "2015-01-05",
            "result": "合格",
            "report_date": "2015-01-20" if number == 3 else "2015-01-08",
        }
        for number in range(1, 6)
    ]
    deaths = [
        {
            "card_no": f"44050720150{number}",
            "name": "构造人",
            "sex": "女",
            "birth_date": "1940-02-03",
            "death_time": f"2015-01-0{number} 05:10",
            "residence_code": "440507001",
            "underlying_cause": "I21.9" if number < 4 else "R54",
        }
        for number in range(1, 5)
    ]
    send(bureau, "supervision_cards", "监督.csv", inspections)
    send(bureau, "death_card", "死因.csv", deaths)
    bureau.take_in("cdc")
    assert bureau.rows(
        "select unit_id, set_aside from raw.supervision_cards where set_aside is not null"
    ) == [("JD-3", "SV01")]
    assert bureau.value("select count(*) from raw.supervision_cards") == 5
    assert findings(bureau, "death_card") == [("DC01S", "soft")]
    assert set(
        bureau.rows("select deceased_age_band, deceased_township, underlying_cause from raw.death_card")
    ) == {("70-74", "440507001", "I21.9"), ("70-74", "440507001", "R54")}
    assert bureau.rows(
        "select r.form_code, r.period_start, r.period_end, v.status from registry.report as r"
        " inner join registry.revision as v on v.report_id = r.report_id order by 1"
    ) == [
        ("death_card", date(2015, 1, 1), date(2015, 1, 4), "accepted_with_warnings"),
        ("supervision_cards", date(2015, 1, 5), date(2015, 1, 5), "accepted_with_warnings"),
    ]
