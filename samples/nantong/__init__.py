"""Nantong 2015: reports behind 《2015年全市卫生计生工作要点》, which prints 94 targets and not one result.

Every number is invented. Most targets are met, some are not, so that each status of the marts occurs.
"""

from collections.abc import Iterator
from dataclasses import replace

from samples.apportion import apportion
from samples.identifiers import uscc
from samples.longhu.moments import delivery
from samples.nantong import units
from samples.nantong.plan import COUNTIES as COUNTIES
from samples.nantong.plan import DISTRICTS
from samples.nantong.plan import PLAN as PLAN
from samples.progress import (
    Task,
    Title,
    duty,
    progress_table,
    region_table,
    title_table,
    town_closes,
    town_opens,
    unit_event,
)
from samples.sheets import Record
from samples.writers import Delivery

SOURCE = """\
- code: nantong
  name_zh: 南通市：单位报表和登记卡（构造样例）
  region_code: "320600"
"""
"""Cards say only through whom they came of which region they are."""

TASKS = (
    Task("specialist_appointment_rate", 412_500, "人次", 500_000),
    Task("clinical_pathway_enrolment_rate", 58_200, "人次", 120_000),
    Task("clinical_pathway_electronic_coverage", 31, "家", 31),
    Task("performance_assessment_coverage", 42, "家", 42),
    Task("mch_org_completeness_rate", 10, "个", 10),
    Task("certified_mch_practice_rate", 1_284, "人", 1_284),
    Task("surplus_for_incentive_share", 3_960, "万元", 9_900),
    Task("pre_pregnancy_check_coverage", 27_930, "人", 30_100),
    Task("tcm_service_area_rate", 131, "个", 136),
    Task("tcm_provision_rate_centre", 136, "个", 136),
    Task("major_illness_fund_ratio", 12_100, "万元", 235_000),
    Task("ncms_instant_settlement_coverage", 61, "家", 74),
    Task("essential_medicine_compliance", 134, "家", 134),
    Task("food_risk_monitoring_coverage", 9, "个", 9),
    Task("gp_training_new_graduates", 96, "人", 96),
    Task("resident_training_rate", 402, "人", 402),
    Task("shanghai_cooperation_rate", 14, "家", 17),
    Task("shanghai_training_share", 214, "人", 20_300),
    Task("cme_audit_rate", 14, "项", 131),
    Task("platform_interconnection", 9, "个", 9),
    Task("convenience_systems_coverage", 27, "家", 31),
    Task("new_mch_facilities", 1),
    Task("digital_vaccination_clinics_new", 11, "家"),
    Task("cancer_survey_questionnaires", 25_640, "人"),
    Task("cancer_screenings", 4_870, "人"),
    Task("major_mch_projects", 4, "项"),
    Task("newborn_deafness_gene_screening", 6_430, "人"),
    Task("bereaved_family_support_events", 4, "次"),
    Task("population_reports_published", 1, "份"),
    Task("tcm_lectures", 86, "场"),
    Task("tcm_nursing_backbone", 100, "人"),
    Task("tcm_apprenticeship", 98, "人"),
    Task("case_payment_diseases", 32, "种"),
    Task("primary_care_free_training", 1_046, "人次"),
    Task("shanghai_training_municipal", 108, "人"),
    Task("rural_teaching_projects", 20, "项"),
    Task("specialist_nurse_bases_new", 6),
    Task("specialist_nurses_trained", 157, "人"),
    Task("cme_projects", 131, "项"),
    Task("health_card_issued", 412_000, "张"),
    Task("county_pilot_xgxy", 1),
    *(Task("foodborne_sentinel_hospitals", 1, "家", region=county) for county in COUNTIES),
)

TITLES = (
    Title("省示范乡镇卫生院", "2", 6, "2015-11-30"),
    Title("省示范村卫生室", "2", 23, "2015-11-30"),
    Title("乡镇卫生院特色科室", "3", 13, "2015-12-10"),
    Title("社区卫生服务中心特色科室", "3", 6, "2015-12-10"),
    Title("国家慢性病综合防控示范区", "1", 1, "2015-12-15", ("320682",)),
    Title("省慢性病综合防控示范区", "2", 1, "2015-12-15", ("320623",)),
    Title("疾控中心建设达标", "2", 8, "2015-11-12", units.CDCS[:8]),
    Title("社区卫生服务中心规范化建设达标", "3", 5, "2015-11-12", units.CENTRES),
    Title("卫生监督机构省级评估合格", "2", 2, "2015-11-20", ("320602", "320611")),
    Title("国家卫生镇", "1", 1, "2015-07-01", ("320623101",)),
    Title("省卫生镇", "2", 3, "2015-10-12", ("320612101", "320681101", "320682101")),
    Title("省卫生村", "2", 60, "2015-10-12"),
    Title("国家卫生城市", "1", 3, "2015-08-20", ("320600", "320682", "320684")),
    Title("国家卫生县城", "1", 1, "2015-08-20", ("320623",)),
    Title("省卫生应急规范化建设乡镇", "2", 8, "2015-12-01", tuple(f"{county}101" for county in COUNTIES)),
)
BEFORE = (
    Task("clinical_pathway_enrolment_rate", 51_400, "人次", 117_600),
    Task("ncms_instant_settlement_coverage", 52, "家", 74),
)
"""What the year is held against: shares that the plan only wants to rise."""


def events() -> list[dict[str, str]]:
    """The unit that files the tasks and all that report, as rows of the directory."""
    return [unit_event(PLAN, PLAN.lead_code, PLAN.lead_name, uscc(7001, registered_by="12")), *units.events()]


def duties() -> list[dict[str, str]]:
    """Who files for 2015 what the sample below owes as well; of tasks and patients only the last quarter is told."""
    year, quarter, maternal = (
        (f"{PLAN.year}-01-01", f"{PLAN.year + 1}-01-01"),
        (f"{PLAN.year}-10-01", f"{PLAN.year + 1}-01-01"),
        (f"{PLAN.year - 1}-10-01", f"{PLAN.year}-10-01"),
    )
    of_region = (
        ("idr_monthly", units.CDCS[-1], year),
        ("smi_quarterly", units.CDCS[-1], quarter),
        ("mch_maternal_annual", units.MOTHERS, maternal),
        ("mch_child_annual", units.MOTHERS, maternal),
        ("women_screening_annual", units.MOTHERS, maternal),
        ("women_screening_quarterly", units.MOTHERS, year),
    )
    return [
        *units.duties(year),
        *(duty("task_progress", code, quarter) for code in (PLAN.lead_code, *units.COOPERATING)),
        *(duty(form, PLAN.region, spell, reporter=reporter) for form, reporter, spell in of_region),
    ]


def towns() -> list[dict[str, str]]:
    """A constructed town in each county, with the code that it has after its county's own change."""
    rows = [
        town_opens(f"{county}101", f"{name}样例镇", "2010-01-01", from_year=2010)
        for county, name in COUNTIES.items()
    ]
    rows.append(town_opens("320685101", "海安样例1镇", "2018-01-01", from_year=2019))
    rows += [
        town_opens(f"{county}101", f"{name}样例镇（新）", "2020-07-03", from_year=2021)
        for county, name in (("320613", "崇川"), ("320614", "海门"))
    ]
    rows.append(town_closes("320621101", "2018-01-01", from_year=2019, became="320685101"))
    return rows + [
        town_closes(f"{county}101", "2020-07-03", from_year=2021, became=f"{into}101")
        for county, into in (("320602", "320613"), ("320611", "320613"), ("320684", "320614"))
    ]


def deliveries() -> Iterator[Delivery]:
    """All files, received in January 2016."""
    for name, content in {
        "2014年重点任务进度.xlsx": progress_table(replace(PLAN, year=2014), BEFORE),
        "2015年重点任务进度.xlsx": progress_table(PLAN, TASKS),
        "2015年命名台账.csv": title_table(PLAN, TITLES),
        **{f"2015年_{form}.csv": region_table(form, records) for form, records in _tables().items()},
    }.items():
        yield delivery(f"bureau/南通/构造_{name}", content, 2016, 1, 20)
    for hospital, disciplines in units.COOPERATING.items():
        # Its own task: of no region.
        own = replace(PLAN, lead_code=hospital, lead_name=units.hospital(hospital), region="")
        content = progress_table(own, [Task("cooperating_disciplines_per_hospital", disciplines)])
        yield delivery(f"bureau/南通/构造_2015年重点任务进度_{hospital}.xlsx", content, 2016, 1, 20)
    for name, form, records in units.tables():
        yield delivery(f"nantong/构造_{name}.csv", region_table(form, records), 2016, 1, 20)


def _population() -> list[Record]:
    """Residents at the end of the year and of the year before; those of the districts at its end."""
    printed = {"definition": "RESIDENT_END", "source_version": "快报"}
    whole: list[Record] = [
        {**PLAN.own, **printed, "year": year, "population": people}
        for year, people in ((PLAN.year - 1, 7_298_000), (PLAN.year, 7_300_000))
    ]
    districts: list[Record] = [
        {**printed, "region_code": code, "region_name": name, "year": PLAN.year, "population": people}
        for code, name, people, _ in DISTRICTS
    ]
    return whole + districts


def _expenditure() -> list[Record]:
    """Expenditure on health by who pays, and the funds of public health, of the prefecture and of its districts."""
    whole: list[Record] = [
        {
            **PLAN.own,
            "report_year": PLAN.year,
            "the_total": 1_620_000,
            "the_government": 486_000,
            "the_social": 680_400,
            "the_personal": 453_600,
            "bphs_funds": 37_230,
        }
    ]
    districts: list[Record] = [
        {
            "region_code": code,
            "region_name": name,
            "report_year": PLAN.year,
            "the_total": people * 22 // 100,
            "the_government": people * 6 // 100,
            "the_social": people * 10 // 100,
            "the_personal": people * 6 // 100,
            "bphs_funds": funds,
        }
        for code, name, people, funds in DISTRICTS
    ]
    return whole + districts


def _tables() -> dict[str, list[Record]]:
    """Tables of the prefecture as a whole, one record each but for the months of notifiable diseases."""
    own, year = PLAN.own, PLAN.year
    return {
        "population_denominators": _population(),
        "finance_annual": _expenditure(),
        "mch_maternal_annual": [
            {
                **own,
                "mch_year": year,
                "live_births": 60_412,
                "live_births_male": 31_380,
                "live_births_female": 29_032,
            }
            | {"women_delivered": 59_740, "women_nonagri": 36_100, "women_agri": 23_640, "stillbirths": 214}
            | {
                "women_systematic_managed": 58_004,
                "women_antenatal_checked": 59_702,
                "women_antenatal_5plus": 58_911,
            }
            | {
                "women_early_checked": 58_866,
                "women_postnatal_visited": 58_930,
                "live_births_in_hospital": 60_412,
            }
            | {"maternal_deaths": 2, "maternal_deaths_haemorrhage": 0, "maternal_deaths_hypertension": 0}
            | {"maternal_deaths_medical": 1, "maternal_deaths_embolism": 1, "maternal_deaths_other": 0}
        ],
        "mch_child_annual": [
            {
                **own,
                "mch_year": year,
                "children_lt7": 398_200,
                "children_lt5": 282_300,
                "children_lt3": 168_900,
            }
            | {
                "deaths_under5": 231,
                "deaths_under5_male": 128,
                "deaths_under5_female": 103,
                "deaths_infant": 187,
            }
            | {"deaths_infant_male": 104, "deaths_infant_female": 83, "children_0_6_managed": 389_400}
            | {"children_lt3_systematic": 161_000}
        ],
        "women_screening_annual": [
            {
                **own,
                "mch_year": year,
                "women_20_64": 2_410_000,
                "women_due": 260_000,
                "women_screened": 260_000,
            }
            | {
                "disease_found": 61_300,
                "cervical_screened": 131_000,
                "breast_screened": 129_000,
                "treated": 59_870,
            }
        ],
        "ncms_report": _ncms(),
        "smi_quarterly": [
            {**own, "quarter": f"{one}年第4季度", "smi_registered": found, "smi_managed": cared}
            | {"resident_population": 7_300_000}
            for one, found, cared in ((2014, 29_190, 27_320), (2015, 30_040, 28_510))
        ],
        "survey_result": [
            {**own, "report_year": one, "survey_code": survey, "item": item, "sample_size": 3_200}
            | {"weighted_rate": rate}
            for one, literacy, hotline in ((2014, 14, 41), (2015, 16, 47))
            for survey, item, rate in (
                ("流动人口卫生计生动态监测", "基本公共卫生服务可及率", literacy + 58),
                ("居民健康素养监测", "健康素养水平", literacy),
                ("12320卫生热线调查", "知晓率", hotline),
            )
        ],
        "idr_monthly": [
            {
                **own,
                "month": f"{year}-{month:02d}",
                "disease_code": "AB_TOTAL",
                "cases": 940 + 37 * (month % 5),
            }
            | {"deaths": month % 3}
            for month in range(1, 13)
        ],
        "women_screening_quarterly": [
            {**own, "quarter": f"{year}年第{quarter}季度", "women_due": 260_000, "women_screened": screened}
            | {"disease_found": screened * 23 // 100, "cervical_screened": cervical}
            | {"breast_screened": screened - cervical, "treated": screened * 22 // 100}
            for quarter, screened, cervical in (
                (1, 48_200, 24_300),
                (2, 127_400, 64_200),
                (3, 203_900, 102_700),
                (4, 260_000, 131_000),
            )
        ],
        "toilet_quarterly": [
            {"township_code": f"{county}101", "township_name": f"{name}样例镇", "quarter": f"{year}年第4季度"}
            | {
                "households": 12_200 + new,
                "toilets_cum": 11_600 + new,
                "toilets_harmless_cum": 11_100 + new,
                "toilets_new": new,
            }
            for (county, name), new in zip(
                list(COUNTIES.items())[2:], (2_610, 2_380, 2_740, 2_450, 2_690, 2_370), strict=True
            )
        ],
    }


def _ncms() -> list[Record]:
    """Enrolment and funds of the prefecture, and the enrolment of each of its counties, of which it is the sum."""
    eligible = (18_200, 62_800, 861_000, 640_000, 742_000, 690_000, 873_000, 515_000)
    left_out = (120, 310, 2_260, 1_480, 1_790, 1_650, 2_010, 1_080)
    whole: Record = {
        **PLAN.own,
        "report_year": PLAN.year,
        "eligible": sum(eligible),
        "enrolled": sum(eligible) - sum(left_out),
        "funds_raised": 228_350,
        "fiscal_subsidy": 171_260,
        "individual_contribution": 57_090,
    }
    shares = apportion(228_350, [float(people) for people in eligible])
    subsidies = apportion(171_260, [float(people) for people in eligible])
    counties: list[Record] = [
        {
            "region_code": county,
            "region_name": name,
            "report_year": PLAN.year,
            "eligible": people,
            "enrolled": people - missing,
            "funds_raised": raised,
            "fiscal_subsidy": subsidy,
            "individual_contribution": raised - subsidy,
        }
        for (county, name), people, missing, raised, subsidy in zip(
            COUNTIES.items(), eligible, left_out, shares, subsidies, strict=True
        )
    ]
    return [whole, *counties]
