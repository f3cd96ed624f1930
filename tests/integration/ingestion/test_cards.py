"""Cards through the whole intake: counted, set aside, recognised when they come again, read again."""

import io
import json
import subprocess
import sys
from datetime import date

import openpyxl
import pytest

from ingestion import intake, rederive, registry, worker_pool
from ingestion.cards import text as cards_text
from ingestion.cards.batch import BatchReader
from ingestion.identifiers import citizen_check_digit
from warehouse.settings import get_settings

LABELS = {
    "card_no": "卡片编号",
    "card_category": "报卡类别",
    "name": "姓名",
    "id_no": "有效证件号",
    "sex": "性别",
    "birth_date": "出生日期",
    "phone": "联系电话",
    "address_code": "现住地址国标",
    "occupation": "患者职业",
    "case_class_1": "病例分类1",
    "onset_date": "发病日期",
    "diagnosis_time": "诊断日期",
    "disease_code": "疾病名称",
    "fill_date": "填卡日期",
}

SELDOM = {"death_date": "死亡日期", "corrected_disease": "订正病名"}

WAIVER = """waivers:
  - {rule: ID05, form: idr_card, owner: 统计科, reason: 学校另报, expires_on: 2090-01-01}
"""


def number(born: str, order: int) -> str:
    body = f"440507{born}{order:03}"
    return body + citizen_check_digit(body)


def card(no: int, **values: object) -> dict[str, object]:
    """One card that breaks no rule; persons are made up."""
    return {
        "card_no": f"LH2015{no:05}",
        "card_category": "初次报告",
        "name": "构造人",
        "id_no": number("19800507", 2 * no + 1),
        "sex": "男",
        "birth_date": "1980-05-07",
        "phone": f"1380000{no:04}",
        "address_code": "440507001",
        "occupation": "农民",
        "case_class_1": "确诊病例",
        "onset_date": "2015-01-04",
        "diagnosis_time": "2015-01-05 08:30",
        "disease_code": "手足口病",
        "fill_date": "2015-01-05",
        **values,
    }


def as_csv(cards: list[dict[str, object]], columns: list[str] | None = None) -> bytes:
    names = columns or list(LABELS)
    lines = [",".join((LABELS | SELDOM)[name] for name in names)]
    lines += [",".join(str(one.get(name, "")) for name in names) for one in cards]
    return ("\n".join(lines) + "\n").encode()


def as_workbook(cards: list[dict[str, object]]) -> bytes:
    book = openpyxl.Workbook()
    names = list(reversed(LABELS))
    book.active.append([LABELS[name] for name in names])
    for one in cards:
        book.active.append([one.get(name) for name in names])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.fixture
def cdc(bureau):
    def send(cards, name="cards.csv", **more):
        content = cards if isinstance(cards, bytes) else as_csv(cards, **more)
        bureau.send_bytes(name, content, source="cdc")
        return bureau.take_in("cdc")

    bureau.send_cards = send
    return bureau


def statuses(bureau) -> list[str]:
    return [row[0] for row in bureau.rows("select status from registry.revision order by revision_id")]


def set_aside(bureau) -> dict[str, str | None]:
    return dict(bureau.rows("select card_no, set_aside from raw.idr_card order by card_no"))


class TestCounting:
    def test_a_batch_of_events_is_a_report_of_its_own(self, cdc):
        result = cdc.send_cards([card(1), card(2, diagnosis_time="2015-01-09 10:00", fill_date="2015-01-09")])
        assert result.reports == {"new": 1}
        assert cdc.rows(
            "select r.subject_code, r.period_type, r.period_start, r.period_end, length(r.part), v.status,"
            " v.record_count, v.value_count from registry.report r join registry.revision v using (report_id)"
        ) == [("440507", "event", date(2015, 1, 5), date(2015, 1, 9), 16, "accepted", 2, 2)]

    def test_of_persons_only_key_age_band_and_township_are_stored(self, cdc):
        cdc.send_cards([card(1), card(2, id_no="", birth_date="2014-12-30", sex="女")])
        columns = {
            row[0]
            for row in cdc.rows(
                "select attname from pg_attribute where attrelid = 'raw.idr_card'::regclass and attnum > 0"
            )
        }
        assert not columns & {"name", "id_no", "birth_date", "phone", "address", "address_code", "workplace"}
        rows = cdc.rows(
            "select patient_key ~ '^[0-9a-f]{32}$', patient_age_band, patient_township from raw.idr_card"
            " order by card_no"
        )
        assert rows == [(True, "30-34", "440507001"), (True, "<1", "440507001")]

    def test_a_person_has_the_same_key_on_every_card_and_another_under_another_secret(self, cdc, monkeypatch):
        cdc.send_cards([card(1), card(2, id_no=number("19800507", 3), disease_code="水痘")])
        assert cdc.value("select count(distinct patient_key) from raw.idr_card") == 1
        monkeypatch.setenv("WAREHOUSE_PERSON_KEY", "another secret of this bureau")
        get_settings.cache_clear()
        cdc.send_cards([card(3, id_no=number("19800507", 3), disease_code="风疹")], name="other.csv")
        assert cdc.value("select count(distinct patient_key) from raw.idr_card") == 2

    def test_cards_of_units_are_reports_of_unit_and_month(self, cdc):
        names = {
            "机构编码": ["T-1", "T-2", "T-1", "T-8"],
            "病案号": ["a1", "b1", "a2", "x1"],
            "姓名": ["构造人"] * 4,
            "身份证号": [number("19800507", n) for n in (1, 3, 5, 7)],
            "性别": ["男"] * 4,
            "出生日期": ["1980-05-07"] * 4,
            "入院时间": ["2015-01-02 09:00", "2015-01-03 09:00", "2015-02-01 09:00", "2015-01-03 09:00"],
            "出院时间": ["2015-01-05 09:00", "2015-01-06 09:00", "2015-02-04 09:00", "2015-01-06 09:00"],
            "实际住院天数": ["3"] * 4,
            "出院主要诊断编码": ["J18.900"] * 4,
            "离院方式": ["医嘱离院"] * 4,
            "总费用": ["1000"] * 4,
        }
        lines = [",".join(names), *(",".join(row) for row in zip(*names.values(), strict=True))]
        result = cdc.send_cards("\n".join(lines).encode())
        assert result.reports["unplaced"] == 1
        assert cdc.rows(
            "select subject_code, period_start, value_count, edition from registry.report"
            " join registry.revision using (report_id) order by 1, 2"
        ) == [
            ("T-1", date(2015, 1, 1), 1, "2015"),
            ("T-1", date(2015, 2, 1), 1, "2015"),
            ("T-2", date(2015, 1, 1), 1, "2015"),
        ]
        assert cdc.value("select count(*) from raw.inpatient_front_page") == 3
        assert (
            cdc.value("select message_zh from registry.finding where rule_id = 'UNIT_UNKNOWN'").count("T-8")
            == 0
        )


class TestSettingAside:
    def test_a_faulty_card_is_set_aside_alone(self, cdc):
        result = cdc.send_cards(
            [
                card(1),
                card(2, disease_code=""),
                card(3),
                card(
                    4,
                    disease_code="人感染H7N9禽流感",
                    diagnosis_time="2010-01-05 08:00",
                    onset_date="2010-01-04",
                    fill_date="2010-01-05",
                ),
            ]
        )
        assert result.reports == {"new": 1}
        assert statuses(cdc) == ["accepted_with_warnings"]
        assert list(set_aside(cdc).values()) == [None, "CARD_INCOMPLETE", None, "ID07"]
        assert cdc.rows("select record_count, value_count from registry.revision") == [(4, 2)]
        assert cdc.rows(
            "select rule_id, severity, cell, record_no from registry.finding where severity = 'hard' order by record_no"
        ) == [("CARD_INCOMPLETE", "hard", "M3", 2), ("ID07", "hard", "M5", 4)]

    def test_a_key_met_twice_sets_the_later_card_aside_and_an_equal_copy_counts_once(self, cdc):
        cdc.send_cards([card(1), card(2), card(2, sex="女"), card(1), card(3)])
        found = cdc.rows("select record_no, set_aside from raw.idr_card order by record_no")
        assert found == [(1, None), (2, None), (3, "CARD_TWICE"), (4, "CARD_TWICE"), (5, None)]
        assert cdc.rows(
            "select record_no, severity from registry.finding where rule_id = 'CARD_TWICE' order by 1"
        ) == [(3, "hard"), (4, "soft")]

    def test_a_card_of_the_future_is_set_aside_and_does_not_date_the_batch(self, cdc):
        cdc.send_cards([card(1), card(2), card(3, diagnosis_time="2051-01-05 08:30")])
        assert set_aside(cdc)["LH201500003"] == "CARD_IN_FUTURE"
        assert cdc.value("select period_end from registry.report") == date(2015, 1, 5)

    def test_a_batch_that_is_mostly_faulty_waits_as_a_whole(self, cdc):
        result = cdc.send_cards([card(1), *(card(n, disease_code="甲") for n in range(2, 5))])
        assert result.reports == {"quarantined": 1}
        assert "CARDS_MOSTLY_FAULTY" in {row[0] for row in cdc.rows("select rule_id from registry.finding")}
        assert cdc.value("select current_revision_id from registry.report") is None

    def test_numbers_that_cannot_be_right_and_disagreements_only_warn(self, cdc):
        wrong = number("19800507", 5)[:17] + ("1" if number("19800507", 5)[17] != "1" else "2")
        cdc.send_cards([card(1, id_no=wrong), card(2, sex="女"), card(3, birth_date="1981-05-07"), card(4)])
        assert statuses(cdc) == ["accepted_with_warnings"]
        assert set(set_aside(cdc).values()) == {None}
        assert cdc.rows("select rule_id, field_code, record_no, value from registry.finding order by 3") == [
            ("VALUE_CHECK_DIGIT", "id_no", 1, None),
            ("PERSON_DISAGREES", "sex", 2, None),
            ("PERSON_DISAGREES", "birth_date", 3, None),
        ]

    def test_findings_of_a_rule_are_capped_and_the_rest_is_counted(self, cdc, monkeypatch):
        monkeypatch.setenv("WAREHOUSE_MAX_FINDINGS_PER_RULE", "3")
        get_settings.cache_clear()
        cdc.send_cards([*(card(n, case_class_1="") for n in range(1, 9))])
        told = cdc.rows("select record_no, severity, message_zh from registry.finding order by finding_id")
        assert [row[0] for row in told] == [1, 2, 3, None]
        assert "还有5处" in told[-1][2]
        assert statuses(cdc) == ["accepted_with_warnings"]

    def test_a_missing_column_keeps_the_batch_out(self, cdc):
        columns = [name for name in LABELS if name != "disease_code"]
        assert cdc.send_cards([card(1), card(2)], columns=columns).reports == {"quarantined": 1}


class TestComingAgain:
    def test_the_same_file_twice_changes_nothing(self, cdc):
        cdc.send_cards([card(1), card(2)])
        before = cdc.value("select count(*) from raw.idr_card")
        result = cdc.send_cards([card(1), card(2)], name="again.csv")
        assert result.by_status == {"duplicate": 1}
        assert cdc.value("select count(*) from raw.idr_card") == before
        assert statuses(cdc) == ["accepted"]

    def test_bytes_that_count_already_are_not_read_again(self, cdc, monkeypatch):
        cdc.send_cards([card(1), card(2, disease_code="")])

        def never(*_: object) -> None:
            raise AssertionError

        monkeypatch.setattr(BatchReader, "read", never)
        assert cdc.send_cards([card(1), card(2, disease_code="")], name="again.csv").by_status == {
            "duplicate": 1
        }

    def test_withdrawn_bytes_are_judged_when_they_come_again(self, cdc):
        cdc.send_cards([card(1), card(2)])
        registry.withdraw(cdc.owner, cdc.value("select report_id from registry.report"), "wrong", "统计科")
        result = cdc.send_cards([card(1), card(2)], name="again.csv")
        assert result.reports == {"quarantined": 1}
        assert cdc.value("select count(*) from raw.idr_card") == 4

    def test_the_same_cards_in_another_format_and_order_are_known(self, cdc):
        cards = [card(1), card(2), card(3, disease_code="")]
        cdc.send_cards(cards)
        result = cdc.send_cards(as_workbook(cards[::-1]), name="cards.xlsx")
        assert result.by_status == {"duplicate": 1}
        assert cdc.value("select count(*) from raw.idr_card") == 3
        assert cdc.value("select count(*) from registry.report") == 1
        assert cdc.value("select count(*) from registry.arrival_report") == 2

    def test_a_changed_name_is_another_content(self, cdc):
        cdc.send_cards([card(1), card(2)])
        result = cdc.send_cards([card(1), card(2, name="构造新名")], name="mended.csv")
        assert result.reports == {"new": 1}

    def test_an_amended_batch_stands_beside_the_first(self, cdc):
        cdc.send_cards([card(1), card(2)])
        cdc.send_cards([card(2, card_category="订正报告", disease_code="水痘"), card(3)], name="mended.csv")
        # The correction does not say which disease it corrects.
        assert statuses(cdc) == ["accepted", "accepted_with_warnings"]
        newest = cdc.rows(
            "select distinct on (c.card_no) c.card_no, c.disease_code from raw.idr_card c"
            " join registry.report r on r.current_revision_id = c.revision_id"
            " join registry.revision v on v.revision_id = c.revision_id"
            " where c.set_aside is null order by c.card_no, v.received_at desc"
        )
        assert newest == [("LH201500001", "4000"), ("LH201500002", "VARICELLA"), ("LH201500003", "4000")]

    def test_a_dry_run_writes_nothing(self, cdc, tmp_path):
        file = tmp_path / "cards.csv"
        file.write_bytes(as_csv([card(1), card(2, disease_code="")]))
        checked = intake.check(cdc.settings, file, cdc.source("cdc"))
        assert [one.kind for one in checked.reports] == ["new"]
        assert {one.finding.rule_id for one in checked.reports[0].findings} == {"CARD_INCOMPLETE"}
        assert cdc.value("select count(*) from raw.idr_card") == 0
        assert cdc.value("select count(*) from registry.arrival") == 0


class TestReadingAgain:
    def test_a_waiver_brings_a_card_back(self, cdc):
        faulty = card(2, occupation="学生")
        cdc.send_cards([card(1), faulty, card(3)])
        assert set_aside(cdc)["LH201500002"] == "ID05"
        cdc.site(waivers_yml=WAIVER)
        done = rederive.rederive(cdc.settings, reason="waiver", dry_run=False)
        assert [change.becomes_current for change in done.changes] == [True]
        assert cdc.rows("select revision_no, status, value_count from registry.revision order by 1") == [
            (1, "superseded", 2),
            (2, "accepted_with_warnings", 3),
        ]
        assert cdc.value("select count(*) from registry.report") == 1

    def test_a_night_finds_cards_that_wait_for_a_waiver(self, cdc):
        cdc.send_cards([card(1), card(2, occupation="学生"), card(3)])
        assert rederive.reconsider(cdc.settings, "试").changes == ()
        cdc.site(waivers_yml=WAIVER)
        assert [one.becomes_current for one in rederive.reconsider(cdc.settings, "豁免").changes] == [True]
        assert rederive.reconsider(cdc.settings, "豁免").files == 0

    def test_nothing_mended_nothing_changed(self, cdc):
        cdc.send_cards([card(1), card(2, disease_code="")])
        done = rederive.rederive(cdc.settings, reason="again", dry_run=False)
        assert done.changes == ()
        assert cdc.value("select count(*) from raw.idr_card") == 2

    def test_a_plan_writes_nothing(self, cdc):
        cdc.send_cards([card(1), card(2, occupation="学生")])
        cdc.site(waivers_yml=WAIVER)
        done = rederive.rederive(cdc.settings, reason="waiver", dry_run=True)
        assert len(done.changes) == 1
        assert cdc.value("select count(*) from raw.idr_card") == 2
        assert statuses(cdc) == ["accepted_with_warnings"]


class TestSize:
    def test_large_texts_need_no_other_process_and_keep_their_order(self, cdc, monkeypatch):
        monkeypatch.setattr(cards_text, "LARGE", 64)
        monkeypatch.setattr(worker_pool, "COMMAND", ("/nowhere/python",))
        worker_pool.end_idle()
        for day in (5, 6, 7):
            cdc.send_bytes(f"{day}.csv", as_csv([card(1, onset_date=f"2015-01-0{day - 3}")]), source="cdc")
        assert cdc.take_in("cdc").reports == {"new": 3}
        newest = "select onset_date from raw.idr_card order by revision_id"
        assert cdc.rows(newest) == [(date(2015, 1, day),) for day in (2, 3, 4)]

    def test_a_large_file_takes_no_more_memory_than_a_small_one(self, cdc, tmp_path):
        peaks = [
            self.peak(cdc, self.write(tmp_path / f"{cards}.csv", cards), cards) for cards in (60_000, 240_000)
        ]
        assert max(peaks) < 400
        assert peaks[1] - peaks[0] < 100

    @staticmethod
    def write(path, cards):
        template = as_csv([card(1, card_no="{no}", id_no="", phone="{phone}")]).decode().splitlines()
        with path.open("w", encoding="utf-8") as file:
            file.write(template[0] + "\n")
            for no in range(cards):
                file.write(template[1].replace("{no}", f"N{no}").replace("{phone}", f"138{no:08}") + "\n")
        return path

    @staticmethod
    def peak(cdc, path, cards) -> float:
        """Megabytes that a process of its own needs at most to take the file in."""
        program = (
            "import json, re, sys\n"
            "from pathlib import Path\n"
            "from ingestion import inbox, intake\n"
            "from ingestion.site import load_site\n"
            "from warehouse.settings import get_settings\n"
            "settings = get_settings()\n"
            "result = intake.take_in(settings, load_site(settings).source('cdc'), inbox.given([Path(sys.argv[1])]))\n"
            # Of this program alone: what rusage tells begins with the size of the process that started it.
            "peak = int(re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1]) / 1024\n"
            "print(json.dumps([peak, result.reports['new']]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
        )
        peak, new = json.loads(done.stdout.splitlines()[-1])
        assert new == 1
        part = "select count(*) from raw.idr_card where set_aside is null and card_no like 'N%'"
        assert cdc.value(part) >= cards
        return peak


class TestCorrections:
    """A card that corrects an earlier one is held against what that said."""

    @staticmethod
    def send(cdc, name, *cards):
        return cdc.send_cards(list(cards), name=name, columns=[*LABELS, *SELDOM])

    @staticmethod
    def findings(cdc) -> list[tuple[str, str]]:
        return cdc.rows(
            "select f.rule_id, f.cell from registry.finding f join registry.revision v using (revision_id)"
            " where f.level = 'history' order by f.rule_id"
        )

    def test_steps_back_are_told_by_rule_and_cell(self, cdc):
        self.send(cdc, "first.csv", card(1, death_date="2015-01-20"), card(2))
        back = {
            "card_category": "订正报告",
            "case_class_1": "疑似病例",
            "disease_code": "水痘",
            "onset_date": "2014-01-04",
        }
        result = self.send(cdc, "second.csv", card(1, **back), card(2, card_category="订正报告"))
        assert result.by_status == {"taken_in": 1}
        assert self.findings(cdc) == [("ID10", "J2"), ("ID11", "M2"), ("ID12", "O2"), ("ID13", "K2")]
        assert statuses(cdc) == ["accepted", "accepted_with_warnings"]
        assert set(set_aside(cdc).values()) == {None}

    def test_a_correction_that_says_what_it_corrects_is_none_and_a_first_card_has_no_earlier_one(self, cdc):
        self.send(cdc, "first.csv", card(1, case_class_1="疑似病例"))
        onward = {"card_category": "订正报告", "disease_code": "水痘", "corrected_disease": "手足口病"}
        self.send(cdc, "second.csv", card(1, **onward), card(2, **onward))
        assert self.findings(cdc) == []

    def test_only_what_was_received_before_and_counts_is_earlier(self, cdc):
        self.send(cdc, "aside.csv", card(1, occupation="学生", death_date="2015-01-20"))
        self.send(cdc, "second.csv", card(1, card_category="订正报告"))
        assert self.findings(cdc) == []
        self.send(cdc, "third.csv", card(1, card_category="订正报告", death_date="2015-01-20"))
        self.send(cdc, "fourth.csv", card(1, card_category="订正报告", phone="13900000000"))
        assert [rule for rule, _ in self.findings(cdc)] == ["ID12"]
