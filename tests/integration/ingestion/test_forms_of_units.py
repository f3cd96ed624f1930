"""Forms of hospitals, health centres and registers through the whole intake: who files them, and what else is known."""

import csv
import io

import pytest

ORGANIZATIONS = """\
organization_code,event_date,event_type,name_zh,class_code,region_code,township_code,is_proxy_reporter
T-1,2010-01-01,open,构造甲医院,A100,440507,440507001,否
T-2,2010-01-01,open,构造乙医院,A100,440507,440507001,否
T-9,2010-01-01,open,构造卫生院,C220,440507,440507002,是
V-1,2010-01-01,open,构造村一卫生室,D600,440507,440507002,否
V-2,2010-01-01,open,构造村二卫生室,D600,440507,440507002,否
V-3,2010-01-01,open,构造村三卫生室,D600,440507,440507002,否
"""


@pytest.fixture
def township(bureau):
    """The bureau with three village clinics of a township whose health centre files for them."""
    bureau.site(organizations_csv=ORGANIZATIONS)
    return bureau


def _send(bureau, name: str, rows: list[dict[str, object]], source: str = "hospital") -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    bureau.send_bytes(name, text.getvalue().encode(), source=source)


def _findings(bureau) -> list[tuple[str, str]]:
    return [
        tuple(row)
        for row in bureau.rows("select rule_id, severity from registry.finding order by finding_id")
    ]


def _clinic(code: str) -> dict[str, object]:
    return {
        "机构编码": code,
        "统计年份": 2015,
        "乡村医生数": 2,
        "诊疗人次数": 900,
        "上级补助收入(千元)": 12.5,
    }


class TestVillageClinics:
    def test_a_health_centre_files_for_all_its_clinics(self, township):
        _send(township, "2015村卫生室.csv", [_clinic(f"V-{number}") for number in (1, 2, 3)], "bureau")
        assert township.take_in("bureau").reports == {"new": 3}
        assert _findings(township) == []
        reporters = township.rows(
            "select distinct reporter_key is not null from registry.revision join registry.report using (report_id)"
        )
        assert reporters == [(True,)]

    def test_a_clinic_too_few_is_told_once_for_the_file(self, township):
        _send(township, "2015村卫生室.csv", [_clinic("V-1"), _clinic("V-2")], "bureau")
        assert township.take_in("bureau").reports == {"new": 2}
        assert _findings(township) == [("IV01", "soft")]
        message = township.value("select message_zh from registry.finding")
        assert "本文件报来的单位数=2" in message
        assert "机构目录中的单位数=3" in message


class TestCumulativeQuarters:
    @staticmethod
    def _quarter(quarter: str, managed: int) -> dict[str, object]:
        return {
            "机构编码": "T-9",
            "年季": quarter,
            "辖区常住居民数": 30000,
            "累计建立健康档案数": 25000,
            "65岁及以上常住居民数": 3000,
            "接受健康管理的65岁及以上人数": managed,
        }

    def test_quarters_of_one_file_are_reports_of_their_own(self, township):
        rows = [self._quarter("2015年第一季度", 500), self._quarter("2015年第二季度", 900)]
        _send(township, "公卫.csv", rows)
        assert township.take_in().reports == {"new": 2}
        assert _findings(township) == []

    def test_a_number_below_the_quarter_before_is_told(self, township):
        _send(township, "公卫一季.csv", [self._quarter("2015年第一季度", 500)])
        _send(township, "公卫二季.csv", [self._quarter("2015年第二季度", 499)])
        assert township.take_in().reports == {"new": 2}
        assert _findings(township) == [("BQ04", "soft")]


class TestFrontPages:
    @staticmethod
    def _page(number: int, **values: object) -> dict[str, object]:
        return {
            "机构编码": "T-1",
            "病案号": f"BA{number:06}",
            "姓名": f"构造病人{number}",
            "性别": "男",
            "出生日期": "1960-05-01",
            "入院时间": "2015-01-03 09:00",
            "出院时间": f"2015-01-1{number} 10:00",
            "实际住院(天)": 7 + number,
            "出院主要诊断编码": "I63.9",
            "离院方式": 1,
            "住院总费用": 8000.5,
            "西药费": 3000,
        } | values

    def test_pages_are_counted_against_the_monthly_report_without_those_set_aside(self, township):
        township.send("月报.csv", township.row(discharges=2))
        township.take_in()
        _send(township, "首页.csv", [self._page(1), self._page(2), self._page(3, 住院总费用=0)])
        township.take_in()
        assert _findings(township) == [("FP02", "hard")]
        kept = township.rows(
            "select set_aside, patient_age_band, los_days from raw.inpatient_front_page order by record_no"
        )
        assert kept == [(None, "50-54", 8), (None, "50-54", 9), ("FP02", "50-54", 10)]
        columns = {
            name
            for (name,) in township.rows(
                "select column_name from information_schema.columns where table_name = 'inpatient_front_page'"
            )
        }
        assert not columns & {
            "name",
            "id_no",
            "medical_record_no",
            "birth_date",
            "residence",
            "operation_surgeon_1",
        }
        assert township.rows(
            "select period_start::text, period_end::text from registry.report where part = ''"
            " and form_code = 'inpatient_front_page'"
        ) == [("2015-01-01", "2015-01-31")]

    def test_a_page_too_few_is_a_warning(self, township):
        township.send("月报.csv", township.row(discharges=3))
        township.take_in()
        _send(township, "首页.csv", [self._page(1), self._page(2)])
        assert township.take_in().reports == {"new": 1}
        assert _findings(township) == [("FP09", "soft")]


def test_a_register_of_people_holds_nobodys_name(township):
    common = {"机构编码": "T-1", "年份": 2015}
    people = [
        common
        | {"姓名": "构造甲", "身份证件号码": "11010519491231002X", "出生日期": "1949-12-31", "性别": "女"}
        | {"从事专业类别代码": "21", "学历": "大专"},
        common
        | {"姓名": "构造乙", "身份证件号码": "440524198001010013", "出生日期": "1980-01-01", "性别": "男"}
        | {"从事专业类别代码": "11", "学历": "大学本科"},
    ]
    _send(township, "人员.csv", people)
    assert township.take_in().reports == {"new": 1}
    rows = township.rows(
        "select profession_class, education, person_age_band, person_key is not null"
        " from raw.staff_register order by record_no"
    )
    assert rows == [("21", "30", "65-69", True), ("11", "20", "35-39", True)]
    told = str(township.rows("select * from registry.finding"))
    assert "构造" not in told
    assert "11010519491231002X" not in told


def test_the_departments_of_a_hospital_are_held_against_its_annual_report(township):
    annual = {
        "机构编码": "T-1", "统计年份": 2015, "在岗职工数": 100, "卫生技术人员人数": 80, "执业医师人数": 40,
        "执业助理医师人数": 0, "注册护士人数": 40, "实有床位数": 60, "实际开放总床日数": 21900,
        "实际占用总床日数": 18000, "总诊疗人次数": 20000, "入院人数": 1200, "出院人数": 1200,
    }  # fmt: skip
    _send(township, "年报.csv", [annual])
    assert township.take_in().reports == {"new": 1}
    departments = [
        {
            "机构编码": "T-1",
            "统计年份": 2015,
            "科室名称": name,
            "分科实有床位数": beds,
            "分科出院人数": discharges,
        }
        for name, beds, discharges in (("内科", 30, 600), ("外科", 29, 600), ("合计", 59, 1200))
    ]
    _send(township, "分科.csv", departments)
    assert township.take_in().reports == {"new": 1}
    assert _findings(township) == [("IA07", "soft")]
