"""The constructed prefecture: its districts, units and history, drawn from a seed.

Region codes begin with 99, which GB/T 2260 gives to no province, unit codes with GZ (构造, constructed), and every name
says 构造: nothing here can be taken for a real place or a real number.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np

from samples.generator import seasons
from samples.generator.draws import stream
from samples.generator.seasons import FIRST_YEAR, LAST_YEAR, Floats, Ints
from samples.identifiers import organization_code, uscc
from warehouse.errors import WarehouseError

PREFECTURE, PREFECTURE_NAME = "990100", "构造市"
CONSTRUCTED = "构造数据（随机生成，非真实上报）"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_SHARES = {"public": 0.14, "private": 0.16, "centre": 0.28, "township": 0.42}
"""Kinds of unit, public hospitals first, and how many of a hundred units they are."""
USUAL_LAST_YEAR = 2025


class InvalidWorld(WarehouseError):
    """The sample that is asked for cannot be generated."""


@dataclass(frozen=True)
class Options:
    """What is generated."""

    units: int
    """Hospitals and primary-care units, of which each district has at least one."""
    years: int
    """Whole calendar years, up to 2025; more than sixteen begin in 2010, when the monthly form does."""
    seed: int = 1
    errors: float = 0.0
    """Share of the reports that get an error of entry."""

    def __post_init__(self) -> None:
        if not 4 <= self.units <= 5_000:
            raise InvalidWorld(
                f"{self.units} units cannot be generated.", mend="Ask for 4 to 5,000, for example --units 50."
            )
        if not 1 <= self.years <= LAST_YEAR - FIRST_YEAR + 1:
            raise InvalidWorld(
                f"{self.years} years cannot be generated.",
                mend=f"Ask for 1 to {LAST_YEAR - FIRST_YEAR + 1}: the monthly form begins in {FIRST_YEAR}.",
            )
        if not 0 <= self.errors <= 0.5:
            raise InvalidWorld(
                f"{self.errors} is no share of reports with an error.", mend="Ask for 0 to 0.5, e.g. 0.01."
            )

    @property
    def last_year(self) -> int:
        """The last year that reports are of."""
        return max(USUAL_LAST_YEAR, FIRST_YEAR + self.years - 1)

    @property
    def first_year(self) -> int:
        """The first year that reports are of."""
        return self.last_year - self.years + 1


@dataclass(frozen=True)
class District:
    """A county or district in a spell of its existence."""

    code: str
    name: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Unit:
    """An institution, or the centre that reports for its district."""

    number: int
    code: str
    name: str
    kind: str
    place: int
    """Number of the place: a district before the merger, and for ever the part of one."""
    class_code: str
    economic_type: str
    sponsor: str
    registered_by: str
    level: str = "9"
    opened: date | None = None
    """First month of a unit that opened within the years."""
    closed: date | None = None
    """First month without it."""
    successor: int | None = None
    """Number of the unit that it was merged into."""
    renamed: date | None = None
    former_name: str | None = None

    @property
    def uscc(self) -> str:
        """Its social credit code: well-formed, of a registration office that does not exist."""
        return uscc(self.number, registered_by=self.registered_by)

    @property
    def organization_code(self) -> str:
        """Its nine-character organisation code."""
        return organization_code(self.number)

    def name_on(self, day: date) -> str:
        """The name that it carried on that day."""
        return self.former_name if self.former_name and self.renamed and day < self.renamed else self.name


class World:
    """Places, units and their sizes; everything follows from the options."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.axis = seasons.months(options.first_year, options.last_year)
        self.places = int(np.clip(options.units // 60 + 2, 3, len(_STEMS)))
        self.merged_on = date(options.first_year + options.years // 2, 1, 1) if options.years > 1 else None
        """First day of the district into which the last two places were merged; None in a single year."""
        self._rng = stream(options.seed, "world")
        self._weights = np.exp(0.45 * self._rng.standard_normal(self.places))
        self._kinds = self._draw_kinds()
        self._places = self._draw_places()
        self.units: tuple[Unit, ...] = self._draw_units()
        self.centres: dict[str, tuple[Unit, ...]] = {
            what: tuple(self._centre(what, place) for place in range(self.places)) for what in ("cdc", "mch")
        }

    @cached_property
    def nurseries(self) -> tuple[Unit, ...]:
        """Day-care institutions: two to four in each place, every fifth of them opened within the last three years."""
        rng = stream(self.options.seed, "nurseries")
        found: list[Unit] = []
        for place in range(self.places):
            for _ in range(int(rng.integers(2, 5))):
                number = len(found) + 1
                opened = date(self.options.last_year - number % 3, 4, 1) if number % 5 == 0 else None
                name = f"构造{_STEMS[place]}区第{number}托育园"
                found.append(
                    Unit(
                        8200 + number,
                        f"GZTY{number:02d}",
                        name,
                        "nursery",
                        place,
                        "P939",
                        "171",
                        "3",
                        "52",
                        opened=opened,
                    )
                )
        return tuple(found)

    def of_kind(self, *kinds: str) -> Ints:
        """Positions of the units of some kinds."""
        return np.array([i for i, unit in enumerate(self.units) if unit.kind in kinds], dtype=np.int64)

    @cached_property
    def primary(self) -> Ints:
        """Positions of the primary-care units, which share out the residents of their place."""
        return self.of_kind("centre", "township")

    @cached_property
    def hospitals(self) -> Ints:
        """Positions of the hospitals."""
        return self.of_kind("public", "private")

    @cached_property
    def place_of(self) -> Ints:
        """Place of each unit."""
        return np.array([unit.place for unit in self.units], dtype=np.int64)

    @cached_property
    def residents(self) -> Ints:
        """Residents whom each unit serves at the end of the last year; none for hospitals."""
        drawn = 26_000 * np.exp(0.5 * stream(self.options.seed, "residents").standard_normal(len(self.units)))
        drawn = drawn * np.array([1.5 if unit.kind == "centre" else 1.0 for unit in self.units])
        drawn[self.hospitals] = 0
        return np.asarray(np.rint(drawn), dtype=np.int64)

    @cached_property
    def beds(self) -> Floats:
        """Beds of each unit at the end of the last year, log-normal."""
        rng = stream(self.options.seed, "beds")
        median = {"public": 260.0, "private": 70.0, "centre": 14.0, "township": 34.0}
        wide = {"public": 0.75, "private": 0.6, "centre": 0.5, "township": 0.45}
        drawn = [median[u.kind] * np.exp(wide[u.kind] * rng.standard_normal()) for u in self.units]
        return np.asarray(np.maximum(8.0, np.array(drawn)), dtype=np.float64)

    @cached_property
    def active(self) -> Ints:
        """Units × months: 1 where the unit is open."""
        return np.array(
            [
                [
                    int((unit.opened is None or unit.opened <= month) and not (unit.closed and unit.closed <= month))
                    for month in self.axis
                ]
                for unit in self.units
            ],
            dtype=np.int64,
        )  # fmt: skip

    def district(self, place: int, day: date) -> District:
        """The district that a place belonged to on a day."""
        for district in self.districts(place):
            if (district.valid_from is None or district.valid_from <= day) and (
                district.valid_to is None or day < district.valid_to
            ):
                return district
        raise AssertionError(f"place {place} has no district on {day}")

    def districts(self, place: int) -> tuple[District, ...]:
        """The district or districts that a place belonged to, one after another."""
        own = District(f"9901{place + 1:02d}", f"构造{_STEMS[place]}区")
        if self.merged_on is None or place < self.places - 2:
            return (own,)
        pair = _STEMS[self.places - 2 : self.places]
        merged = District(f"9901{self.places + 20:02d}", f"构造{pair}区", self.merged_on, None)
        return (District(own.code, own.name, None, self.merged_on), merged)

    def _draw_kinds(self) -> list[str]:
        units = self.options.units
        number = {kind: max(1, round(units * share)) for kind, share in _SHARES.items()}
        # Every place needs a township centre and the prefecture a public hospital; the rest gives way.
        others = sum(n for kind, n in number.items() if kind != "township")
        number["township"] = max(self.places, units - others)
        for kind in ("private", "centre"):
            number[kind] -= max(0, min(number[kind], sum(number.values()) - units))
        return [kind for kind, n in number.items() for _ in range(n)]

    def _draw_places(self) -> list[int]:
        shares = self._weights / self._weights.sum()
        rng = stream(self.options.seed, "places")
        placed: list[int] = []
        for kind in _SHARES:
            of_kind = [k for k in self._kinds if k == kind]
            # The first of each kind go round all places, so that none is without; the others follow the size.
            first = min(len(of_kind), self.places)
            placed += [*range(first), *rng.choice(self.places, len(of_kind) - first, p=shares).tolist()]
        return placed

    def _draw_units(self) -> tuple[Unit, ...]:
        drawn = [
            self._unit(number, kind, place)
            for number, (kind, place) in enumerate(zip(self._kinds, self._places, strict=True))
        ]
        return tuple(self._with_history(drawn))

    def _unit(self, number: int, kind: str, place: int) -> Unit:
        names = {
            "public": "人民医院", "private": "民营医院", "centre": "社区卫生服务中心", "township": "镇卫生院"
        }  # fmt: skip
        same = sum(
            1 for k, p in zip(self._kinds[:number], self._places, strict=False) if (k, p) == (kind, place)
        )
        name = f"构造{_STEMS[place]}区第{same + 1}{names[kind]}"
        code = f"GZ{number + 1:04d}"
        if kind == "public":
            level = "3" if same == 0 else "2"
            return Unit(number + 1000, code, name, kind, place, "A100", "110", "1", "12", level)
        if kind == "private":
            return Unit(number + 1000, code, name, kind, place, "A100", "171", "3", "91", "1")
        class_code = "B100" if kind == "centre" else "C220"
        return Unit(number + 1000, code, name, kind, place, class_code, "110", "1", "12")

    def _with_history(self, units: list[Unit]) -> list[Unit]:
        """Openings and closings of private hospitals, one merger of hospitals, new names."""
        rng = stream(self.options.seed, "history")
        edge = min(6, len(self.axis) // 4)
        inner = self.axis[edge:-edge]
        private = [i for i, unit in enumerate(units) if unit.kind == "private"]
        yearly = max(1, round(len(private) * 0.02 * self.options.years))
        touched = rng.permutation(private).tolist()
        for position, index in enumerate(touched[: 3 * yearly] if len(private) > 2 else []):
            day = inner[int(rng.integers(len(inner)))]
            what = position % 3
            if what == 0:
                units[index] = replace(units[index], opened=day)
            elif what == 1:
                units[index] = replace(units[index], closed=day)
            else:
                former = units[index].name.replace("民营医院", "康复医院")
                units[index] = replace(units[index], renamed=day, former_name=former)
        public = [i for i, unit in enumerate(units) if unit.kind == "public"]
        if len(public) > 4 and self.options.years > 1:
            small, large = public[-1], next(i for i in public if units[i].place == units[public[-1]].place)
            if small != large:
                day = date(self.options.last_year, 1, 1)
                units[small] = replace(units[small], closed=day, successor=large)
        return units

    def _centre(self, what: str, place: int) -> Unit:
        name = f"构造{_STEMS[place]}区" + ("疾病预防控制中心" if what == "cdc" else "妇幼保健院")
        class_code = "J100" if what == "cdc" else "G100"
        number = 8000 + place + (100 if what == "mch" else 0)
        return Unit(
            number, f"GZ{what.upper()}{place + 1:02d}", name, what, place, class_code, "110", "1", "12"
        )
