"""The constructed institutions of the sample and their dated history."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from samples.identifiers import organization_code, uscc

REGION = "440507"
REGION_NAME = "汕头市龙湖区"


class Group(StrEnum):
    """The slices in which the plan prints its totals."""

    PUBLIC = "public_hospital"
    PRIVATE = "private_hospital"
    PRIMARY = "primary_care"


@dataclass(frozen=True, slots=True)
class Unit:
    """An institution as it stood at the end of 2015."""

    code: str
    serial: int
    name: str
    registered_by: str
    class_code: str
    economic_type: str
    sponsor: str
    management_class: str
    level: str
    grade: str
    township: str
    group: Group | None = None
    former_name: str | None = None
    """Name it carried until ``renamed_on``."""
    renamed_on: date | None = None
    is_proxy_reporter: bool = False
    second_name_is_chc: bool = False

    @property
    def uscc(self) -> str:
        """Its social credit code (constructed, assigned to nobody)."""
        return uscc(self.serial, registered_by=self.registered_by)

    @property
    def org_code_22(self) -> str:
        """Its 22-character code: 9 organisation, 6 region, 2 economic type, 4 class, 1 management."""
        attributes = self.economic_type[:2] + self.class_code + self.management_class
        return organization_code(self.serial) + REGION + attributes

    def name_on(self, day: date) -> str:
        """The name it carried on that day."""
        if self.former_name and self.renamed_on and day < self.renamed_on:
            return self.former_name
        return self.name


def _public(code: str, serial: int, name: str, *, level: str, grade: str, township: str) -> Unit:
    return Unit(
        code, serial, name, "12", "A100", "110", "1", "1", level, grade, township,
        group=Group.PUBLIC, second_name_is_chc=True,
    )  # fmt: skip


def _primary(
    code: str, serial: int, name: str, class_code: str, township: str, *, proxy: bool = False
) -> Unit:
    return Unit(
        code, serial, name, "12", class_code, "110", "1", "1", "9", "9", township,
        group=Group.PRIMARY, is_proxy_reporter=proxy,
    )  # fmt: skip


PUBLIC_1 = _public("LH-H01", 1, "龙湖样例公立医院一", level="2", grade="2", township="440507001")
PUBLIC_2 = _public("LH-H02", 2, "龙湖样例公立医院二", level="2", grade="3", township="440507002")
PUBLIC_3 = _public("LH-H03", 3, "龙湖样例公立医院三", level="1", grade="2", township="440507003")
PRIVATE_1 = Unit(
    "LH-P01",
    11,
    "龙湖样例民营医院一",
    "52",
    "A100",
    "172",
    "3",
    "1",
    "9",
    "9",
    "440507004",
    group=Group.PRIVATE,
)
PRIVATE_2 = Unit(
    "LH-P02", 12, "龙湖样例民营医院二", "91", "A518", "173", "3", "2", "9", "9", "440507005", group=Group.PRIVATE,
    former_name="龙湖样例民营妇产医院", renamed_on=date(2015, 7, 1),
)  # fmt: skip
PRIVATE_3 = Unit(
    "LH-P03",
    13,
    "龙湖样例民营医院三",
    "91",
    "A220",
    "171",
    "3",
    "2",
    "9",
    "9",
    "440507001",
    group=Group.PRIVATE,
)
CENTRE_1 = _primary("LH-C01", 21, "龙湖样例社区卫生服务中心一", "B100", "440507001")
CENTRE_2 = _primary("LH-C02", 22, "龙湖样例社区卫生服务中心二", "B100", "440507002")
CENTRE_3 = _primary("LH-C03", 23, "龙湖样例社区卫生服务中心三", "B100", "440507003")
TOWNSHIP_1 = _primary("LH-T01", 31, "龙湖样例镇卫生院一", "C220", "440507101", proxy=True)
TOWNSHIP_2 = _primary("LH-T02", 32, "龙湖样例镇卫生院二", "C220", "440507100", proxy=True)
CDC = Unit("LH-J01", 41, "龙湖样例疾病预防控制中心", "12", "J100", "110", "1", "1", "9", "9", "440507001")
MCH = Unit(
    "LH-G01", 42, "龙湖样例妇幼保健计划生育服务中心", "12", "G200", "110", "1", "1", "9", "9", "440507002",
    former_name="龙湖样例妇幼保健所", renamed_on=date(2014, 7, 1),
)  # fmt: skip
SUPERVISION = Unit(
    "LH-K01", 43, "龙湖样例卫生计生监督所", "12", "K100", "110", "1", "1", "9", "9", "440507001"
)

HOSPITALS = (PUBLIC_1, PUBLIC_2, PUBLIC_3, PRIVATE_1, PRIVATE_2, PRIVATE_3)
PRIMARY_CARE = (CENTRE_1, CENTRE_2, CENTRE_3, TOWNSHIP_1, TOWNSHIP_2)
INSTITUTIONS = HOSPITALS + PRIMARY_CARE
UNITS = (*INSTITUTIONS, CDC, MCH, SUPERVISION)
