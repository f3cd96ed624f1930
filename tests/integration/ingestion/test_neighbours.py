"""Rules that ask other reports and the directory: other forms of the period, open units, duties, classes."""

from datetime import date

from ingestion import registry
from ingestion.forms_catalogue import load_forms
from ingestion.rederive import rederive

YEAR = date(2015, 1, 1)
DUTIES = "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"


def table(bureau, form: str, *rows: dict[str, object]) -> bytes:
    """A CSV file of a form with its printed labels, and with every column that it must have."""
    known = load_forms(bureau.settings)[form].by_code
    required = {code: 0 for code, field in known.items() if field.required and field.role == "measure"}
    filled = [{**required, **row} for row in rows]
    columns = list(dict.fromkeys(column for row in filled for column in row))
    lines = [",".join(known[column].labels[0] for column in columns)]
    lines += [",".join(str(row.get(column, "")) for column in columns) for row in filled]
    return "\n".join(lines).encode()


def hospital(bureau, unit: str = "T-1", **values: object) -> bytes:
    row = {"organization_code": unit, "report_year": 2015, "beds_actual": 100, **values}
    return table(bureau, "inst_annual_hospital", row)


def departments(bureau, *beds: int, unit: str = "T-1") -> bytes:
    names = ["内科", "外科", "儿科"]
    rows = [
        {"organization_code": unit, "report_year": 2015, "department": name, "beds_actual": count}
        for name, count in zip(names, beds, strict=False)
    ]
    return table(bureau, "inst_annual_hospital_dept", *rows)


def rules(bureau, form: str) -> list[str]:
    return sorted(one.rule_id for one in registry.findings(bureau.loader) if one.form_code == form)


class TestOtherFormsOfTheSamePeriod:
    FORM = "inst_annual_hospital_dept"

    def test_departments_are_compared_with_the_hospitals_own_report(self, bureau):
        bureau.send_bytes("a.csv", hospital(bureau))
        bureau.send_bytes("b.csv", departments(bureau, 60, 30))
        bureau.take_in()
        (found,) = [one for one in registry.findings(bureau.loader) if one.rule_id == "IA07"]
        assert (found.level, found.subject_code) == ("unit", "T-1")
        assert "100" in found.message_zh

    def test_departments_that_add_up_are_no_finding(self, bureau):
        bureau.send_bytes("a.csv", hospital(bureau))
        bureau.send_bytes("b.csv", departments(bureau, 60, 40))
        bureau.take_in()
        assert "IA07" not in rules(bureau, self.FORM)

    def test_nothing_is_compared_with_a_report_that_is_not_there(self, bureau):
        bureau.send_bytes("a.csv", hospital(bureau, unit="T-2"))
        bureau.send_bytes("b.csv", departments(bureau, 60, 30))
        bureau.take_in()
        assert "IA07" not in rules(bureau, self.FORM)

    def test_a_hospitals_report_that_comes_second_is_compared_with_its_departments(self, bureau):
        bureau.send_bytes("b.csv", departments(bureau, 60, 30))
        bureau.take_in()
        assert rules(bureau, self.FORM) == []
        bureau.send_bytes("a.csv", hospital(bureau))
        bureau.take_in()
        (found,) = [one for one in registry.findings(bureau.loader) if one.rule_id == "IA07"]
        assert (found.form_code, found.level, found.subject_code) == ("inst_annual_hospital", "unit", "T-1")
        assert (found.field_code, found.cell) == ("beds_actual", "F2")
        assert "分科情况" in found.message_zh and "100" in found.message_zh
        assert rederive(bureau.settings, reason="constructed", forms=["inst_annual_hospital"]).changes == ()

    def test_a_hospitals_report_that_comes_second_and_agrees_is_no_finding(self, bureau):
        bureau.send_bytes("b.csv", departments(bureau, 60, 40))
        bureau.send_bytes("a.csv", hospital(bureau))
        bureau.take_in()
        assert "IA07" not in rules(bureau, "inst_annual_hospital")

    def test_a_hospitals_report_that_came_first_is_not_found_wrong_when_it_is_read_again(self, bureau):
        bureau.send_bytes("a.csv", hospital(bureau))
        bureau.send_bytes("b.csv", departments(bureau, 60, 30))
        bureau.take_in()
        assert rederive(bureau.settings, reason="constructed").changes == ()

    def test_what_waits_in_quarantine_is_not_compared_with(self, bureau):
        bureau.send_bytes("a.csv", hospital(bureau, beds_actual="约一百"))
        bureau.send_bytes("b.csv", departments(bureau, 60, 30))
        bureau.take_in()
        assert "IA07" not in rules(bureau, self.FORM)


class TestOpenUnits:
    """A township health centre files the forms of the village clinics that it answers for."""

    CLINICS = ("T-9", "T-21", "T-22", "T-23")

    def site(self, bureau, *, closed: bool = False) -> None:
        units = [
            *bureau.organizations,
            *(f"{clinic},2010-01-01,open,构造{clinic}卫生室,D600,440507," for clinic in self.CLINICS[1:]),
            *(["T-23,2014-06-01,close,,,,"] if closed else []),
        ]
        duties = [
            f"inst_annual_village,organization,{clinic},T-9,2015-01-01,,\n" for clinic in self.CLINICS[1:]
        ]
        bureau.site(organizations_csv="\n".join(units) + "\n", duties_csv=DUTIES + "".join(duties))

    def send(self, bureau, *clinics: str) -> None:
        rows = [{"organization_code": clinic, "report_year": 2015} for clinic in clinics]
        bureau.send_bytes("a.csv", table(bureau, "inst_annual_village", *rows), source="bureau")
        bureau.take_in("bureau")

    def told(self, bureau) -> bool:
        return "IV01" in [one.rule_id for one in registry.findings(bureau.loader)]

    def test_clinic_that_is_left_out_is_told(self, bureau):
        self.site(bureau)
        self.send(bureau, "T-21", "T-22")
        assert self.told(bureau)

    def test_all_clinics_are_there(self, bureau):
        self.site(bureau)
        self.send(bureau, *self.CLINICS[1:])
        assert not self.told(bureau)

    def test_closed_clinic_is_not_expected(self, bureau):
        self.site(bureau, closed=True)
        self.send(bureau, "T-21", "T-22")
        assert not self.told(bureau)


class TestDirectory:
    def test_unit_of_a_class_that_does_not_file_the_form_is_told(self, bureau):
        row = {"organization_code": "T-1", "report_year": 2015}
        bureau.send_bytes("a.csv", table(bureau, "inst_annual_village", row))
        bureau.take_in()
        (found,) = [one for one in registry.findings(bureau.loader) if one.rule_id == "UNIT_CLASS_OTHER"]
        assert (found.severity, found.level, found.value) == ("soft", "unit", "A100")
        assert bureau.value("select status from registry.revision") == "accepted_with_warnings"

    def test_unit_that_sends_for_others_and_does_not_file_the_form_is_told(self, bureau):
        clinics = [
            "T-8,2010-01-01,open,构造卫生院,C220,440507,",
            "T-21,2010-01-01,open,构造卫生室,D600,440507,",
        ]
        duty = DUTIES + "inst_annual_village,organization,T-21,{},2015-01-01,,\n"
        content = table(bureau, "inst_annual_village", {"organization_code": "T-21", "report_year": 2015})
        for reporter, told in (("T-8", []), ("T-1", ["T-1"])):
            bureau.site(
                organizations_csv="\n".join([*bureau.organizations, *clinics]) + "\n",
                duties_csv=duty.format(reporter),
            )
            bureau.send_bytes(f"{reporter}.csv", content)
            bureau.take_in()
            found = [one for one in registry.findings(bureau.loader) if one.rule_id == "REPORTER_CLASS_OTHER"]
            assert [one.value for one in found] == told
            with bureau.owner.begin() as connection:
                connection.exec_driver_sql("truncate registry.report, registry.file cascade")

    def test_report_that_nobody_has_to_file_is_told_once_duties_are_known(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        assert rules(bureau, "hosp_monthly") == []
        bureau.site(duties_csv=DUTIES + "hosp_monthly,organization,T-1,T-1,2015-02-01,,\n")
        bureau.send(
            "b.csv",
            bureau.row(month="2015-02", bed_days_open=1400),
            bureau.row("T-2", "2015-02", bed_days_open=1400),
        )
        bureau.send("c.csv", bureau.row("T-2", month="2015-01"))
        bureau.take_in()
        found = [one for one in registry.findings(bureau.loader) if one.rule_id == "UNIT_WITHOUT_DUTY"]
        # In January nobody's duty was written down yet.
        assert [(one.subject_code, one.period_start) for one in found] == [("T-2", date(2015, 2, 1))]

    def test_closed_unit_is_told(self, bureau):
        bureau.site(organizations_csv="\n".join([*bureau.organizations, "T-1,2014-06-01,close,,,,"]) + "\n")
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        assert rules(bureau, "hosp_monthly") == ["UNIT_CLOSED"]

    def test_attributes_of_a_unit_are_those_at_the_end_of_each_accumulation(self, bureau):
        events = [*bureau.organizations, "T-1,2015-05-01,close,,,,", "T-1,2015-08-01,reopen,,,,"]
        bureau.site(organizations_csv="\n".join(events) + "\n")
        form = load_forms(bureau.settings)["bphs_quarterly"]
        rows = [
            {
                "organization_code": "T-1",
                "quarter": f"2015年第{number}季度",
                form.measures[0].code: 100 + number,
            }
            for number in (1, 2, 3)
        ]
        bureau.send_bytes("a.csv", table(bureau, "bphs_quarterly", *rows))
        bureau.take_in()
        assert "UNIT_CLOSED" not in rules(bureau, "bphs_quarterly")
