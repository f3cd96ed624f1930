"""What the plan prints for 2015, and what the sample's reports must make of it.

Source of every printed figure: 《龙湖区卫生和计划生育事业发展“十三五”规划》, section 一 发展现状.
A figure that no report can yield as printed says why; it is never bent to fit.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Literal

DOCUMENT = "《龙湖区卫生和计划生育事业发展“十三五”规划》"


class Verdict(StrEnum):
    """How the printed figure stands to the computed one."""

    AGREES = "agrees"
    """Equal at the printed precision."""
    TRUNCATED = "truncated"
    """Equal only if the plan cut the digits off instead of rounding."""
    ROUNDING = "rounding"
    """Off by one unit in the last printed digit."""
    IMPOSSIBLE = "impossible"
    """Contradicts other figures of the plan; no report can yield it together with them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A printed figure and its computed value, ``numerator`` / ``denominator`` x ``scale``."""

    indicator: str
    """Code in the indicator catalogue."""
    slice: str
    """all, hospital, public_hospital, private_hospital or primary_care, as in the indicator mart."""
    name_zh: str
    unit: str
    section: str
    printed: str
    numerator: int
    denominator: int | None = None
    scale: int = 1
    verdict: Verdict = Verdict.AGREES
    note: str = ""
    period_type: Literal["year", "mch_year"] = "year"

    @property
    def period_start(self) -> date:
        """First day of the period; the maternal-child year 2015 begins in October 2014."""
        return date(2014, 10, 1) if self.period_type == "mch_year" else date(2015, 1, 1)

    @property
    def digits(self) -> int:
        """Decimal places printed."""
        return len(self.printed.partition(".")[2])

    @property
    def value(self) -> Decimal:
        """The computed value, unrounded."""
        return Decimal(self.numerator) * self.scale / (self.denominator or 1)

    @property
    def rounded(self) -> Decimal:
        """The computed value rounded half up to the printed places."""
        return self.value.quantize(Decimal(1).scaleb(-self.digits), ROUND_HALF_UP)

    @property
    def judged(self) -> Verdict:
        """The verdict that follows from the two values alone."""
        unit_of_last_place = Decimal(1).scaleb(-self.digits)
        printed = Decimal(self.printed)
        if self.rounded == printed:
            return Verdict.AGREES
        if self.value.quantize(unit_of_last_place, ROUND_DOWN) == printed:
            return Verdict.TRUNCATED
        if abs(self.rounded - printed) <= unit_of_last_place and self.digits:
            return Verdict.ROUNDING
        return Verdict.IMPOSSIBLE


def _count(indicator: str, name: str, unit: str, section: str, number: int, *, of: str = "all") -> Figure:
    return Figure(indicator, of, name, unit, section, str(number), number)


def _rate(
    indicator: str,
    name: str,
    section: str,
    printed: str,
    *,
    top: int,
    bottom: int,
    of: str = "all",
    verdict: Verdict = Verdict.AGREES,
    note: str = "",
) -> Figure:
    return Figure(indicator, of, name, "%", section, printed, top, bottom, 100, verdict, note)


def _maternal(figure: Figure) -> Figure:
    return replace(figure, period_type="mch_year")


_CUT_OFF = (
    "7036 与 97.77 % 只能由活产 7196 截尾得出：7036/7196 = 97.7765 %，四舍五入为 97.78；"
    "任何整数分母都不能四舍五入为 97.77。同一分母下四个率都是截尾值。"
)
_HOSPITAL, _PRIMARY = "hospital", "primary_care"
_PUBLIC, _PRIVATE = "public_hospital", "private_hospital"

_MATERNAL: tuple[Figure, ...] = (
    _count("pregnant_hiv_tests", "孕产妇艾滋病检测", "例", "一（一）2", 7_811),
    _count("pregnant_syphilis_tests", "孕产妇梅毒检测", "例", "一（一）2", 7_811),
    _count("pregnant_hbv_tests", "孕产妇乙肝检测", "例", "一（一）2", 7_814),
    _rate(
        "antenatal_care_rate", "孕产妇产前检查率", "一（一）2", "99.02", top=7_126, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    _rate(
        "postnatal_visit_rate", "产后访视率", "一（一）2", "97.95", top=7_049, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    _rate(
        "hospital_delivery_rate", "住院分娩率", "一（一）2", "99.95", top=7_193, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    _count("maternal_systematic_managed", "孕产妇系统管理人数", "人", "一（一）2", 7_036),
    _rate(
        "maternal_systematic_mgmt_rate", "孕产妇系统管理率", "一（一）2", "97.77", top=7_036, bottom=7_196,
        verdict=Verdict.TRUNCATED, note=_CUT_OFF,
    ),
    Figure(
        "maternal_mortality_ratio", "all", "孕产妇死亡率", "/10万", "一（一）2", "0", 0, 7_196, 100_000,
        note="指标表另印 1.26/10万，须有 79365 例活产才可能出现 1 例死亡，本区不可能。",
    ),
)  # fmt: skip

EXPECTED: tuple[Figure, ...] = (
    # 一（一）2 妇幼卫生
    *(_maternal(figure) for figure in _MATERNAL),
    _count("child_0_6_managed", "0-6岁儿童系统管理人数", "人", "一（一）2", 56_334),
    _rate("child_0_6_mgmt_rate", "0-6岁儿童系统管理率", "一（一）2", "95.74", top=56_334, bottom=58_841),
    # 一（一）3 公共卫生
    _rate("hypertension_std_mgmt_rate", "高血压患者规范管理率", "一（一）3", "92.03", top=22_840, bottom=24_818),
    _rate("diabetes_std_mgmt_rate", "2型糖尿病患者规范管理率", "一（一）3", "77.58", top=6_242, bottom=8_046),
    # 一（二）2 床位数
    _count("beds_actual", "床位数", "张", "一（二）2", 787),
    _count("beds_actual", "医院床位数", "张", "一（二）2", 678, of=_HOSPITAL),
    _rate("bed_share", "医院床位占比", "一（二）2", "86", top=678, bottom=787, of=_HOSPITAL),
    _count("beds_actual", "基层医疗卫生机构床位数", "张", "一（二）2", 109, of=_PRIMARY),
    _rate("bed_share", "基层医疗卫生机构床位占比", "一（二）2", "14", top=109, bottom=787, of=_PRIMARY),
    _rate("bed_share", "公立医院床位占比", "一（二）2", "67.7", top=459, bottom=678, of=_PUBLIC),
    _rate("bed_share", "民营医院床位占比", "一（二）2", "32.3", top=219, bottom=678, of=_PRIVATE),
    # 一（二）3 卫生人员总数
    Figure(
        "health_personnel", "all", "卫生人员总数", "人", "一（二）3", "1889", 1_945, verdict=Verdict.IMPOSSIBLE,
        note="1773 + 42 + 28 + 102 = 1945；1889 = 1773 + 42 + 102 − 28，疑将管理人员由加误为减。",
    ),
    _count("health_technicians", "卫生技术人员", "人", "一（二）3", 1_773),
    _count("other_technicians", "其他技术人员", "人", "一（二）3", 42),
    _count("management_staff", "管理人员", "人", "一（二）3", 28),
    _count("logistics_staff", "工勤技能人员", "人", "一（二）3", 102),
    _count("doctors", "执业（助理）医师", "人", "一（二）3", 731),
    _count("nurses", "注册护士", "人", "一（二）3", 719),
    # 一（三）1 门诊和住院量
    _count("total_visits", "总诊疗人次", "人次", "一（三）1", 1_261_543),
    _count("total_visits", "医院诊疗人次", "人次", "一（三）1", 802_270, of=_HOSPITAL),
    _rate("visit_share_hospital", "医院诊疗占比", "一（三）1", "63.59", top=802_270, bottom=1_261_543),
    _count("total_visits", "基层医疗卫生机构诊疗人次", "人次", "一（三）1", 459_273, of=_PRIMARY),
    _rate("visit_share_primary_care", "基层医疗卫生机构诊疗占比", "一（三）1", "36.41", top=459_273, bottom=1_261_543),
    _count("total_visits", "公立医院诊疗人次", "人次", "一（三）1", 632_383, of=_PUBLIC),
    _rate(
        "visit_share_public_hospital", "公立医院诊疗占医院比", "一（三）1", "78.83", top=632_383, bottom=802_270,
        verdict=Verdict.ROUNDING, note="632383/802270 = 78.824 %，应为 78.82。",
    ),
    _count("total_visits", "民营医院诊疗人次", "人次", "一（三）1", 169_887, of=_PRIVATE),
    _rate(
        "visit_share_private_hospital", "民营医院诊疗占医院比", "一（三）1", "21.17", top=169_887, bottom=802_270,
        verdict=Verdict.TRUNCATED, note="169887/802270 = 21.176 %，应为 21.18；与 78.83 互为补数。",
    ),
    _count("admissions", "入院人次", "人次", "一（三）1", 24_420),
    _count("admissions", "医院入院人次", "人次", "一（三）1", 22_235, of=_HOSPITAL),
    _rate("admission_share", "医院入院占比", "一（三）1", "91.05", top=22_235, bottom=24_420, of=_HOSPITAL),
    _count("admissions", "基层医疗卫生机构入院人次", "人次", "一（三）1", 2_185, of=_PRIMARY),
    _rate("admission_share", "基层医疗卫生机构入院占比", "一（三）1", "8.95", top=2_185, bottom=24_420, of=_PRIMARY),
    _count("admissions", "公立医院入院人次", "人次", "一（三）1", 17_257, of=_PUBLIC),
    _rate(
        "admission_share", "公立医院入院占医院比", "一（三）1", "77.61", top=17_257, bottom=22_235,
        of=_PUBLIC,
    ),
    _count("admissions", "民营医院入院人次", "人次", "一（三）1", 4_978, of=_PRIVATE),
    _rate(
        "admission_share", "民营医院入院占医院比", "一（三）1", "22.39", top=4_978, bottom=22_235,
        of=_PRIVATE,
    ),
    # 一（三）2 病床使用（床日数为样例所取，使各率与印刷值一致）
    _rate("bed_occupancy_rate", "病床使用率", "一（三）2", "65.7", top=188_633, bottom=287_255),
    _rate(
        "bed_occupancy_rate", "医院病床使用率", "一（三）2", "76.5", top=171_287, bottom=247_470, of=_HOSPITAL,
        verdict=Verdict.IMPOSSIBLE, note="须介于公立 74.9 与民营 57.3 之间；按床日加权为 69.2。",
    ),
    _rate(
        "bed_occupancy_rate", "基层医疗卫生机构病床使用率", "一（三）2", "43.6", top=17_346, bottom=39_785,
        of=_PRIMARY,
    ),
    _rate(
        "bed_occupancy_rate", "公立医院病床使用率", "一（三）2", "74.9", top=125_484, bottom=167_535,
        of=_PUBLIC,
    ),
    _rate(
        "bed_occupancy_rate", "民营医院病床使用率", "一（三）2", "57.3", top=45_803, bottom=79_935,
        of=_PRIVATE,
    ),
)  # fmt: skip
"""Every figure of section 一 that the five forms carry, in the order of the plan."""

NOT_CARRIED: tuple[tuple[str, str, str], ...] = (
    ("life_expectancy", "人均期望寿命 76.3 岁", "需分年龄性别的人口与死亡资料"),
    ("visits_per_resident", "居民平均就诊 2.3 次", "需常住人口表"),
    ("pregnant_thalassaemia_tests", "地中海贫血检测 7753 例", "五张报表无此项"),
    ("folic_acid_women", "叶酸补服 4314 名", "需重大公共卫生项目表"),
    ("newborn_metabolic_screened", "新生儿遗传代谢病检测 7897 例", "需新生儿疾病筛查月报"),
    ("newborn_hearing_screened", "听力筛查 5553 例", "需新生儿疾病筛查月报"),
    ("cervical_cancer_screened", "宫颈癌检查 2578 例", "需妇女病查治年报"),
    ("breast_cancer_screened", "乳腺癌检查 2890 例", "需妇女病查治年报"),
    ("infant_mortality_rate", "婴儿死亡率 1.01‰", "需7岁以下儿童保健年报"),
    ("under5_mortality_rate", "5岁以下儿童死亡率 1.01‰", "需7岁以下儿童保健年报"),
    ("nip_vaccination_rate", "计划内常规疫苗接种率 99 % 以上", "需常规接种月报"),
    ("hiv_antibody_tests", "艾滋病抗体检测 1.7 万人次", "需艾滋病检测月报"),
    ("smi_management_rate", "重性精神病患者管理率 89.5 %", "年报只有管理人数，无在册人数"),
    (
        "institutions",
        "门诊部、诊所等 130 个，农村卫生站 32 个",
        "样例只含11个报告机构，其诊疗量在规划中亦为缺口",
    ),
)
"""Printed figures that the five forms do not carry: indicator, what is printed, what it would need."""
