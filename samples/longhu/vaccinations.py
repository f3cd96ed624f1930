"""Routine vaccinations of 2015 by vaccination point: at least 99 % of those due, as the plan prints."""

from functools import lru_cache

from samples.apportion import apportion, jitter
from samples.longhu import figures, maternal
from samples.longhu.units import PRIMARY_CARE
from samples.sheets import Record

SEASON = (1.04, 0.93, 0.96, 0.95, 0.96, 0.97, 1.00, 1.02, 1.04, 1.08, 1.04, 1.01)

# Vaccine, dose, whether a booster: the programme of 2015.
PROGRAMME = (
    ("HepB", "1", False), ("HepB", "2", False), ("HepB", "3", False), ("BCG", "1", False),
    ("POLIO", "1", False), ("POLIO", "2", False), ("POLIO", "3", False), ("POLIO", "4", True),
    ("DTaP", "1", False), ("DTaP", "2", False), ("DTaP", "3", False), ("DTaP", "4", True), ("DT", "1", True),
    ("MR", "1", False), ("MMR", "1", True), ("JE-L", "1", False), ("JE-L", "2", True),
    ("MenA", "1", False), ("MenA", "2", False), ("MenAC", "1", True), ("MenAC", "2", True), ("HepA-L", "1", False),
)  # fmt: skip


def month(number: int) -> list[Record]:
    """All points' reports of a month, one row a vaccine and dose."""
    records: list[Record] = []
    for unit in PRIMARY_CARE:
        for vaccine, dose, booster in PROGRAMME:
            due, given = _course(unit.code, vaccine, dose)[number - 1]
            kind = "booster" if booster else "basic"
            record: dict[str, int | str] = {
                "org_code": unit.code,
                "org_name": unit.name,
                "month": f"2015-{number:02d}",
                "vaccine": vaccine,
                "dose_no": dose,
                "residence_class": "0",
                f"due_{kind}": due,
                f"given_{kind}": given,
            }
            if (vaccine, dose) == ("HepB", "1"):
                record["hepb_birth_dose_timely"] = given - given // 40
            records.append(record)
    return records


def totals(number: int) -> tuple[int, int]:
    """Doses given and due in a month; who was left over is due again in the next, so that months do not add up."""
    courses = [_course(unit.code, vaccine, dose) for unit in PRIMARY_CARE for vaccine, dose, _ in PROGRAMME]
    in_month = [course[number - 1] for course in courses]
    return sum(given for _, given in in_month), sum(due for due, _ in in_month)


@lru_cache(maxsize=256)
def _course(unit: str, vaccine: str, dose: str) -> tuple[tuple[int, int], ...]:
    """Due and given month by month: who is left stays due."""
    served = {u.code: int(figures.year(u)["served_population"] or 0) for u in PRIMARY_CARE}
    born = apportion(int(maternal.VALUES["live_births"]), [*served.values()])[list(served).index(unit)]
    reaching = apportion(
        born, [s * jitter(unit, vaccine, dose, m, spread=0.03) for m, s in enumerate(SEASON)]
    )
    left = 1
    course = []
    for new in reaching:
        due = new + left
        left = (due + 60) // 150
        course.append((due, due - left))
    return tuple(course)
