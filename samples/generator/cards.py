"""Forms of one line a person, from the first district alone: disease cards, inpatient front pages, staff registers.

They agree with what is counted beside them: as many cards as the bulletin has cases of each disease and month, as many
front pages of a hospital as it discharged, as many doctors and nurses on the last year's registers as in the annual
reports. Every person is drawn; names say 构造, and identity numbers begin with 110000, which belongs to nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

from ingestion.identifiers import citizen_check_digit
from samples import labels
from samples.generator import tables
from samples.generator.delivering import LANE_OF, SHANGHAI
from samples.generator.diseases import Diseases
from samples.generator.draws import Generator, stream
from samples.generator.seasons import Ints, month_end
from samples.generator.services import Services
from samples.generator.tables import Sheet
from samples.generator.world import Unit, World
from samples.writers import Delivery

PLACE = 0
"""The district whose cards there are; it is not one of those that merge."""
FRONT_PAGES_FROM = 2012
DIAGNOSES = (
    "J18.9",
    "I63.9",
    "I25.1",
    "J44.1",
    "E11.9",
    "K80.2",
    "O80.9",
    "N20.0",
    "C34.9",
    "H25.9",
    "M51.2",
    "K35.8",
)
URGENT = ("0100", "0200", "1901", "2700")
OCCUPATIONS = ("农民", "工人", "离退人员", "家务及待业", "商业服务", "干部职员")


@dataclass(frozen=True, slots=True)
class Batch:
    """A file of cards, and how many reports it is."""

    delivery: Delivery
    reports: int


def batches(world: World, services: Services, diseases: Diseases) -> Iterator[Batch]:
    """All files of cards, form by form."""
    yield from _disease_cards(world, diseases)
    yield from _front_pages(world, services)
    yield from _staff(world, services)


def _disease_cards(world: World, diseases: Diseases) -> Iterator[Batch]:
    """One file a month from the centre of disease control: confirmed cases, entered and audited in time."""
    rng = stream(world.options.seed, "disease cards")
    known = {line.code: line.text for month in world.axis for line in labels.diseases(month)}
    address = f"{world.districts(PLACE)[0].code}001"
    for number, month in enumerate(world.axis):
        notified = {line.code for line in labels.diseases(month)}
        codes = [code for code in diseases.drawn if code in notified]
        cases = np.array([diseases.drawn[code][0][PLACE, number] for code in codes])
        deaths = np.array([diseases.drawn[code][1][PLACE, number] for code in codes])
        total = int(cases.sum())
        if not total:
            continue
        of = np.repeat(np.arange(len(codes)), cases)
        place_in_disease = np.concatenate([np.arange(n) for n in cases])
        died = place_in_disease < deaths[of]
        diagnosed = _moments(rng, month, total)
        limit = np.where(np.isin(np.array(codes)[of], URGENT), 90, 1200)
        entered = diagnosed + rng.integers(10, limit).astype("timedelta64[m]")
        audited = entered + rng.integers(5, limit).astype("timedelta64[m]")
        onset = diagnosed.astype("datetime64[D]") - rng.integers(0, 6, total).astype("timedelta64[D]")
        frame = pl.DataFrame(
            {
                "card_no": [f"GZ{month:%Y%m}{i:06d}" for i in range(total)],
                "card_category": ["初次报告"] * total,
                **_persons(rng, month, total),
                "phone": [f"199{month.year % 100:02d}{i:06d}" for i in range(total)],
                "address_code": [address] * total,
                "occupation": rng.choice(OCCUPATIONS, total),
                "case_class_1": ["确诊病例"] * total,
                "case_class_2": ["慢性" if codes[i].startswith("03") else "未分类" for i in of],
                "disease_code": [known[codes[i]] for i in of],
                "onset_date": _days(onset),
                "diagnosis_time": _times(diagnosed),
                "death_date": [
                    str(day) if gone else None for day, gone in zip(_dates(diagnosed), died, strict=True)
                ],
                "fill_date": _days(diagnosed),
                "entry_time": _times(entered),
                "county_audit_time": _times(audited),
            }
        )
        yield _file("idr_card", f"{month:%Y-%m}", frame, month_end(month) + timedelta(days=5))


def _front_pages(world: World, services: Services) -> Iterator[Batch]:
    """One file a month of the smallest public hospital that is open all the time."""
    rng = stream(world.options.seed, "front pages")
    public = [i for i in world.of_kind("public") if world.active[i].all()]
    one = min(public, key=lambda i: float(world.beds[i]))
    unit = world.units[one]
    deaths = services.months["inpatient_deaths"]
    for number, month in enumerate(world.axis):
        if month.year < FRONT_PAGES_FROM:
            continue
        total = int(services.discharges[one, number])
        left = _moments(rng, month, total)
        stay = 1 + rng.poisson(7, total)
        cost = np.round(900 * stay * np.exp(0.4 * rng.standard_normal(total)), 2)
        died = np.arange(total) < int(deaths[one, number])
        persons = _persons(rng, month, total)
        born = np.array(persons["birth_date"], dtype="datetime64[D]")
        frame = pl.DataFrame(
            {
                "organization_code": [unit.code] * total,
                "org_name": [unit.name_on(month)] * total,
                "payment": rng.choice(
                    ("城镇职工基本医疗保险", "城镇居民基本医疗保险", "全自费"), total, p=(0.5, 0.4, 0.1)
                ),
                "medical_record_no": [f"GZ{month:%y%m}{i:05d}" for i in range(total)],
                **persons,
                "age": (left.astype("datetime64[D]") - born).astype(np.int64) * 10 // 3653,
                "admission_route": rng.choice(("急诊", "门诊"), total),
                "admission_time": _times(left - stay.astype("timedelta64[D]")),
                "discharge_time": _times(left),
                "los_days": stay,
                "main_diagnosis": rng.choice(DIAGNOSES, total),
                "discharge_mode": np.where(died, "死亡", "医嘱离院"),
                "cost_total": cost,
                "cost_self_paid": np.round(cost * 0.31, 2),
                "cost_item_western_drug": np.round(cost * 0.33, 2),
                "cost_item_laboratory": np.round(cost * 0.14, 2),
                "cost_item_nursing": np.round(cost * 0.06, 2),
            }
        )
        yield _file("inpatient_front_page", f"{month:%Y-%m}", frame, month_end(month) + timedelta(days=20))


def _staff(world: World, services: Services) -> Iterator[Batch]:
    """The last year's registers of the district's units, one file."""
    year = world.options.last_year
    who = [i for i in np.flatnonzero(world.place_of == PLACE) if world.active[i, -1]]
    registers = [_register(world, world.units[i], _professions(services.staff(int(i)))) for i in who]
    frame = pl.concat(registers).with_columns(report_year=pl.lit(year))
    first = frame.columns.index("org_name") + 1
    columns = [*frame.columns[:first], "report_year", *frame.columns[first:-1]]
    yield _file("staff_register", str(year), frame.select(columns), date(year + 1, 1, 18), reports=len(who))


def _register(world: World, unit: Unit, professions: dict[str, int]) -> pl.DataFrame:
    rng = stream(world.options.seed, f"register {unit.code}")
    of = np.repeat(list(professions), list(professions.values()))
    total = len(of)
    year = world.options.last_year
    born = np.datetime64(f"{year - 62}-01-01") + rng.integers(0, 38 * 365, total).astype("timedelta64[D]")
    days = _days(born)
    women = rng.random(total) < np.where(np.isin(of, ["注册护士"]), 0.96, 0.5)
    bodies = [
        f"110000{day.replace('-', '')}{unit.number % 50 * 10 + i // 100 % 10:02d}{2 * (i % 5) + (not woman)}"
        for i, (day, woman) in enumerate(zip(days, women, strict=True))
    ]
    return pl.DataFrame(
        {
            "organization_code": [unit.code] * total,
            "org_name": [unit.name] * total,
            "name": [f"构造人员{i}" for i in range(total)],
            "id_type": ["居民身份证"] * total,
            "id_no": [body[:17] + citizen_check_digit(body[:17]) for body in bodies],
            "birth_date": days,
            "sex": np.where(women, "女性", "男性"),
            "profession_class": of,
            "title_appointed": rng.choice(("副高", "中级", "师级", "士级"), total, p=(0.1, 0.35, 0.4, 0.15)),
            "education": rng.choice(
                ("硕士研究生", "大学本科", "大学专科", "中等专业学校"), total, p=(0.06, 0.4, 0.39, 0.15)
            ),
        }
    )


def _professions(staff: dict[str, int]) -> dict[str, int]:
    """How many of each profession, by the names that the register has for them."""
    rest = staff["staff_technical"] - staff["doctors"] - staff["nurses"]
    return {
        "执业医师": staff["doctors"] - staff["doctors_assistant"],
        "执业助理医师": staff["doctors_assistant"],
        "注册护士": staff["nurses"],
        "西药师（士）": rest // 3,
        "检验技师（士）": rest // 4,
        "其他卫生技术人员": rest - rest // 3 - rest // 4,
        "其他技术人员": staff["staff_other_technical"],
        "管理人员": staff["staff_management"],
        "工勤技能人员": staff["staff_logistics"],
    }


def _persons(rng: Generator, month: date, number: int) -> dict[str, Sequence[str]]:
    """Adults of both sexes."""
    born = np.datetime64(f"{month.year - 85}-01-01") + rng.integers(0, 66 * 365, number).astype(
        "timedelta64[D]"
    )
    return {
        "name": [f"构造人{i}" for i in range(number)],
        "sex": rng.choice(("男性", "女性"), number).tolist(),
        "birth_date": _days(born),
    }


def _moments(rng: Generator, month: date, number: int) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    """Working hours of the month's days, in order."""
    length = month_end(month).day
    days: Ints = np.sort(rng.integers(0, length, number))
    minutes = 8 * 60 + rng.integers(0, 9 * 60, number)
    return np.datetime64(f"{month}T00:00", "m") + (days * 1440 + minutes).astype("timedelta64[m]")


def _times(moments: "np.ndarray[tuple[int], np.dtype[np.datetime64]]") -> list[str]:
    return [text.replace("T", " ") for text in np.datetime_as_string(moments, unit="m").tolist()]


def _days(moments: "np.ndarray[tuple[int], np.dtype[np.datetime64]]") -> list[str]:
    return list(np.datetime_as_string(moments, unit="D").tolist())


def _dates(moments: "np.ndarray[tuple[int], np.dtype[np.datetime64]]") -> list[str]:
    """A few days on, when those die who do."""
    return _days(moments + np.timedelta64(3, "D"))


def _file(form: str, period: str, frame: pl.DataFrame, received: date, *, reports: int = 1) -> Batch:
    known = labels.columns(form)
    sheet = Sheet([labels.alone(known[name]) for name in frame.columns], frame)
    name = f"构造_{labels.form(form).name_zh}_{period}".replace("/", "、")
    path = f"{LANE_OF[form]}/{form}/{period[:4]}/{name}.csv"
    content = tables.as_csv(sheet, "utf-8-sig")
    return Batch(Delivery(path, content, datetime.combine(received, time(16, 20), SHANGHAI)), reports)
