"""What the plan prints for 2015, and what the sample's reports must make of it.

Source of every printed figure: 《龙湖区卫生和计划生育事业发展“十三五”规划》, section 一 发展现状.
A figure that no report can yield as printed says why; it is never bent to fit.
"""

from dataclasses import replace

from samples.longhu import programmes, vaccinations
from samples.longhu.plan import Figure, Verdict, count, rate
from samples.longhu.residents import RESIDENTS_AVERAGE

DOCUMENT = "《龙湖区卫生和计划生育事业发展“十三五”规划》"


def _maternal(figure: Figure) -> Figure:
    return replace(figure, period_type="mch_year")


_CUT_OFF = (
    "7036 与 97.77 % 只能由活产 7196 截尾得出：7036/7196 = 97.7765 %，四舍五入为 97.78；"
    "任何整数分母都不能四舍五入为 97.77。同一分母下四个率都是截尾值。"
)
_HOSPITAL, _PRIMARY = "hospital", "primary_care"
_PUBLIC, _PRIVATE = "public_hospital", "private_hospital"

_NO_DEATHS = (
    "活产7196例（由系统管理率推得）中，死亡7例为0.97‰，8例为1.11‰，任何整数都得不出1.01‰；"
    "指标表另印的婴儿死亡率0.9‰是7例的0.97截尾。"
)

_INSTITUTIONS: tuple[Figure, ...] = (
    count(
        "institutions", "公立医院（卫生院）", "个", "一（二）1", 5, of="public_hospital_and_township_centre"
    ),
    count("institutions", "社区卫生服务中心", "个", "一（二）1", 3, of="community_centre"),
    count("institutions", "乡镇卫生院", "个", "一（二）1", 2, of="township_centre"),
    count("institutions", "公立医院", "个", "一（二）1", 3, of=_PUBLIC),
    count("institutions", "民营医院", "个", "一（二）1", 3, of=_PRIVATE),
    count("institutions", "门诊部、个体诊所、卫生所（室）", "个", "一（二）1", 130, of="clinic"),
    count("institutions", "农村卫生站", "个", "一（二）1", 32, of="village_clinic"),
    rate("hospital_ownership_share", "公立医院占医院比", "一（二）1", "50", top=3, bottom=6, of=_PUBLIC),
    count("institutions", "二级医院", "个", "一（二）1", 2, of="hospital_level_2"),
    count("institutions", "一级医院", "个", "一（二）1", 1, of="hospital_level_1"),
    Figure(
        "institutions",
        "hospital_beds_under_100",
        "100张床位以下医院",
        "个",
        "一（二）1",
        "1",
        4,
        verdict=Verdict.CONFLICT,
        note="按所有制6家（3 + 3），按床位只3家（1 + 2）；其余3家若都在500张以上须1500张，医院床位共678张，"
        "故两种分法不能都对。样例按6家计为4家和2家。",
    ),
    count("institutions", "100-499张床位医院", "个", "一（二）1", 2, of="hospital_beds_100_499"),
    count("institutions", "疾病预防控制中心", "个", "一（二）1", 1, of="cdc"),
    count("institutions", "卫生计生监督机构", "个", "一（二）1", 1, of="supervision"),
)

_FIVE_YEARS: tuple[Figure, ...] = (
    count("provincial_sanitary_villages_new", "新建省卫生村", "个", "一（五）", 9),
    count("old_pits_filled", "填埋旧厕池", "个", "一（五）", 1_417),
    count("public_toilets_converted", "改建无害化公厕", "个", "一（五）", 17),
    count("sanitary_toilets_new", "无害化户厕改建", "个", "一（五）", 111),
)

_MATERNAL: tuple[Figure, ...] = (
    count("cervical_cancer_screened", "农村妇女宫颈癌检查", "例", "一（一）2", 2_578),
    count("breast_cancer_screened", "农村妇女乳腺癌检查", "例", "一（一）2", 2_890),
    count("pregnant_hiv_tests", "孕产妇艾滋病检测", "例", "一（一）2", 7_811),
    count("pregnant_syphilis_tests", "孕产妇梅毒检测", "例", "一（一）2", 7_811),
    count("pregnant_hbv_tests", "孕产妇乙肝检测", "例", "一（一）2", 7_814),
    rate(
        "antenatal_care_rate", "孕产妇产前检查率", "一（一）2", "99.02", top=7_126, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    rate(
        "postnatal_visit_rate", "产后访视率", "一（一）2", "97.95", top=7_049, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    rate(
        "hospital_delivery_rate", "住院分娩率", "一（一）2", "99.95", top=7_193, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    count("maternal_systematic_managed", "孕产妇系统管理人数", "人", "一（一）2", 7_036),
    rate(
        "maternal_systematic_mgmt_rate", "孕产妇系统管理率", "一（一）2", "97.77", top=7_036, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    Figure(
        "maternal_mortality_ratio", "all", "孕产妇死亡率", "/10万", "一（一）2", "0", 0, 7_196, 100_000,
        note="指标表另印 1.26/10万，须有 79365 例活产才可能出现 1 例死亡，本区不可能。",
    ),
    Figure(
        "under5_mortality_rate", "all", "5岁以下儿童死亡率", "‰", "一（一）2", "1.01",
        programmes.INFANT_DEATHS, 7_196, 1_000, Verdict.IMPOSSIBLE, _NO_DEATHS,
    ),
    Figure(
        "infant_mortality_rate", "all", "婴儿死亡率", "‰", "一（一）2", "1.01",
        programmes.INFANT_DEATHS, 7_196, 1_000, Verdict.IMPOSSIBLE, _NO_DEATHS,
    ),
)  # fmt: skip

EXPECTED: tuple[Figure, ...] = (
    # 一（一）2 妇幼卫生
    *(_maternal(figure) for figure in _MATERNAL),
    count("child_0_6_managed", "0-6岁儿童系统管理人数", "人", "一（一）2", 56_334),
    rate("child_0_6_mgmt_rate", "0-6岁儿童系统管理率", "一（一）2", "95.74", top=56_334, bottom=58_841),
    count("pregnant_thalassaemia_tests", "孕产妇地中海贫血检测", "例", "一（一）2", 7_753),
    count("newborn_metabolic_screened", "新生儿遗传代谢病检测", "例", "一（一）2", 7_897),
    count("newborn_hearing_screened", "新生儿听力筛查", "例", "一（一）2", 5_553),
    count("folic_acid_women", "农村妇女免费叶酸补服", "名", "一（一）2", 4_314),
    replace(
        rate("pre_pregnancy_check_coverage", "免费孕前优生检查覆盖率", "一（一）2", "100", top=3_870, bottom=3_870),
        words="目标人群实现全覆盖",
    ),
    # 一（一）3 公共卫生
    rate("hypertension_std_mgmt_rate", "高血压患者规范管理率", "一（一）3", "92.03", top=22_840, bottom=24_818),
    rate("diabetes_std_mgmt_rate", "2型糖尿病患者规范管理率", "一（一）3", "77.58", top=6_242, bottom=8_046),
    replace(
        rate(
            "nip_vaccination_rate", "计划内常规疫苗接种率", "一（一）3", "99",
            top=vaccinations.totals(12)[0], bottom=vaccinations.totals(12)[1],
            note="应种人数逐月滚动，全年应种不是各月之和；各月都在99 %以上，这里是12月。",
        ),
        period_type="month",
        operator=">=",
    ),
    Figure(
        "hiv_antibody_tests", "all", "艾滋病抗体检测", "万人次", "一（一）3", "1.7", programmes.HIV_TESTS,
        printed_in=10_000,
    ),
    rate(
        "smi_management_rate", "重性精神病患者管理率", "一（一）3", "89.5",
        top=programmes.patients_in_care(4)[0], bottom=programmes.patients_in_care(4)[1],
    ),
    replace(
        count("chronic_demo_areas", "省级慢性病综合防治示范区", "个", "一（一）3", 1),
        words="省级慢性病综合防治示范区",
    ),
    # 一（二）1 医疗卫生机构总数
    *_INSTITUTIONS,
    # 一（二）2 床位数
    count("beds_actual", "床位数", "张", "一（二）2", 787),
    count("beds_actual", "医院床位数", "张", "一（二）2", 678, of=_HOSPITAL),
    rate("bed_share", "医院床位占比", "一（二）2", "86", top=678, bottom=787, of=_HOSPITAL),
    count("beds_actual", "基层医疗卫生机构床位数", "张", "一（二）2", 109, of=_PRIMARY),
    rate("bed_share", "基层医疗卫生机构床位占比", "一（二）2", "14", top=109, bottom=787, of=_PRIMARY),
    rate("bed_share", "公立医院床位占比", "一（二）2", "67.7", top=459, bottom=678, of=_PUBLIC),
    rate("bed_share", "民营医院床位占比", "一（二）2", "32.3", top=219, bottom=678, of=_PRIVATE),
    # 一（二）3 卫生人员总数
    Figure(
        "health_personnel", "all", "卫生人员总数", "人", "一（二）3", "1889", 1_945, verdict=Verdict.IMPOSSIBLE,
        note="1773 + 42 + 28 + 102 = 1945；1889 = 1773 + 42 + 102 − 28，疑将管理人员由加误为减。",
    ),
    count("health_technicians", "卫生技术人员", "人", "一（二）3", 1_773),
    count("other_technicians", "其他技术人员", "人", "一（二）3", 42),
    count("management_staff", "管理人员", "人", "一（二）3", 28),
    count("logistics_staff", "工勤技能人员", "人", "一（二）3", 102),
    count("doctors", "执业（助理）医师", "人", "一（二）3", 731),
    count("nurses", "注册护士", "人", "一（二）3", 719),
    # 一（三）1 门诊和住院量
    count("total_visits", "总诊疗人次", "人次", "一（三）1", 1_261_543),
    Figure("visits_per_resident", "all", "居民平均就诊", "次", "一（三）1", "2.3", 1_261_543, RESIDENTS_AVERAGE[2015]),
    count("total_visits", "医院诊疗人次", "人次", "一（三）1", 802_270, of=_HOSPITAL),
    rate("visit_share_hospital", "医院诊疗占比", "一（三）1", "63.59", top=802_270, bottom=1_261_543),
    count("total_visits", "基层医疗卫生机构诊疗人次", "人次", "一（三）1", 459_273, of=_PRIMARY),
    rate("visit_share_primary_care", "基层医疗卫生机构诊疗占比", "一（三）1", "36.41", top=459_273, bottom=1_261_543),
    count("total_visits", "公立医院诊疗人次", "人次", "一（三）1", 632_383, of=_PUBLIC),
    rate(
        "visit_share_public_hospital", "公立医院诊疗占医院比", "一（三）1", "78.83", top=632_383, bottom=802_270,
        verdict=Verdict.ROUNDING, note="632383/802270 = 78.824 %，应为 78.82。",
    ),
    count("total_visits", "民营医院诊疗人次", "人次", "一（三）1", 169_887, of=_PRIVATE),
    rate(
        "visit_share_private_hospital", "民营医院诊疗占医院比", "一（三）1", "21.17", top=169_887, bottom=802_270,
        verdict=Verdict.TRUNCATED, note="169887/802270 = 21.176 %，应为 21.18；与 78.83 互为补数。",
    ),
    count("admissions", "入院人次", "人次", "一（三）1", 24_420),
    count("admissions", "医院入院人次", "人次", "一（三）1", 22_235, of=_HOSPITAL),
    rate("admission_share", "医院入院占比", "一（三）1", "91.05", top=22_235, bottom=24_420, of=_HOSPITAL),
    count("admissions", "基层医疗卫生机构入院人次", "人次", "一（三）1", 2_185, of=_PRIMARY),
    rate("admission_share", "基层医疗卫生机构入院占比", "一（三）1", "8.95", top=2_185, bottom=24_420, of=_PRIMARY),
    count("admissions", "公立医院入院人次", "人次", "一（三）1", 17_257, of=_PUBLIC),
    rate(
        "admission_share", "公立医院入院占医院比", "一（三）1", "77.61", top=17_257, bottom=22_235,
        of=_PUBLIC,
    ),
    count("admissions", "民营医院入院人次", "人次", "一（三）1", 4_978, of=_PRIVATE),
    rate(
        "admission_share", "民营医院入院占医院比", "一（三）1", "22.39", top=4_978, bottom=22_235,
        of=_PRIVATE,
    ),
    # 一（三）2 病床使用（床日数为样例所取，使各率与印刷值一致）
    rate("bed_occupancy_rate", "病床使用率", "一（三）2", "65.7", top=188_633, bottom=287_255),
    rate(
        "bed_occupancy_rate", "医院病床使用率", "一（三）2", "76.5", top=171_287, bottom=247_470, of=_HOSPITAL,
        verdict=Verdict.IMPOSSIBLE, note="须介于公立 74.9 与民营 57.3 之间；按床日加权为 69.2。",
    ),
    rate(
        "bed_occupancy_rate", "基层医疗卫生机构病床使用率", "一（三）2", "43.6", top=17_346, bottom=39_785,
        of=_PRIMARY,
    ),
    rate(
        "bed_occupancy_rate", "公立医院病床使用率", "一（三）2", "74.9", top=125_484, bottom=167_535,
        of=_PUBLIC,
    ),
    rate(
        "bed_occupancy_rate", "民营医院病床使用率", "一（三）2", "57.3", top=45_803, bottom=79_935,
        of=_PRIVATE,
    ),
    # 一（五）爱卫健教，五年合计；一（六）综合医改
    *(replace(figure, period_type="plan") for figure in _FIVE_YEARS),
    Figure(
        "village_doctor_subsidy", "all", "乡村医生每人每年补助", "万元", "一（六）", "1", 10_000, printed_in=10_000,
    ),
    rate("discount_tcm_pack_coverage", "推广使用平价药包", "一（六）", "100", top=37, bottom=37),
    Figure(
        "institutions", "village_clinic", "考核的村卫生站", "个", "一（六）", "33", 32, verdict=Verdict.CONFLICT,
        note="同一规划一（二）1印农村卫生站32个，两者不能都对。",
    ),
)  # fmt: skip
"""Every figure of section 一 that reports can carry, in the order of the plan."""

NOT_CARRIED: tuple[tuple[str, str, str], ...] = (
    (
        "life_expectancy",
        "人均期望寿命 76.3 岁",
        "寿命表须有各年龄组的死亡数和人口数。死亡卡有年龄；人口只有人口分母表的三个数：总数、65岁及以上、0-6岁。"
        "三个数相同而各年龄人口不同的两个地区，死亡卡相同，期望寿命也不同：没有一组报表能定出76.3。",
    ),
)
"""Printed figures that no set of reports yields: indicator, what is printed, the proof."""
