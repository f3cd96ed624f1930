"""Monthly notifiable-disease counts of the district for 2015: invented throughout, low as the plan says."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from samples.apportion import apportion, jitter
from samples.labels import Disease, diseases

FLAT = (1.0,) * 12
SUMMER = (0.3, 0.3, 0.6, 1.3, 2.0, 2.2, 1.6, 1.1, 1.0, 0.8, 0.5, 0.3)
AUTUMN = (0.0, 0.0, 0.0, 0.0, 0.1, 0.3, 0.8, 1.8, 3.0, 2.6, 0.6, 0.0)
WINTER = (1.9, 1.6, 1.3, 0.9, 0.7, 0.8, 0.7, 0.4, 0.5, 0.7, 1.0, 1.5)

# Cases of the year and their season, deaths of the year. A disease left out had none.
CASES: dict[str, tuple[int, Sequence[float]]] = {
    "0600": (11, FLAT),
    "0301": (3, FLAT),
    "0302": (318, FLAT),
    "0303": (47, FLAT),
    "0304": (8, FLAT),
    "0305": (4, FLAT),
    "1000": (6, WINTER),
    "2400": (9, AUTUMN),
    "0400": (12, SUMMER),
    "2600": (286, FLAT),
    "0500": (9, SUMMER),
    "1100": (2, SUMMER),
    "1400": (21, WINTER),
    "1800": (1, FLAT),
    "0700": (58, FLAT),
    "0800": (193, FLAT),
    "2300": (1, AUTUMN),
    "3500": (124, WINTER),
    "3600": (137, SUMMER),
    "3700": (5, WINTER),
    "3800": (33, AUTUMN),
    "3900": (648, WINTER),
    "4000": (2_156, SUMMER),
}
DEATHS: dict[str, dict[int, int]] = {"0600": {4: 1, 11: 1}, "2600": {2: 1, 9: 1}, "0302": {7: 1}}


def bulletin() -> list[Disease]:
    """Lines of the district's bulletin: every disease notifiable in 2015, with the types of hepatitis."""
    listed = diseases(date(2015, 1, 1))
    return [d for d in listed if d.disease_class == "total" or d.parent in {"AB_TOTAL", "C_TOTAL", "0300"}]


def month(number: int) -> dict[str, tuple[int, int]]:
    """Cases and deaths of that month by line of the bulletin; every total is the sum of its parts."""
    lines = bulletin()
    cases = {line.code: _cases()[line.code][number - 1] if line.code in CASES else 0 for line in lines}
    deaths = {line.code: DEATHS.get(line.code, {}).get(number, 0) for line in lines}
    depth = {line.code: line.parent for line in lines}
    # Types come before diseases, diseases before classes, classes before the grand total.
    for line in sorted(lines, key=lambda line: -_depth(line.code, depth)):
        if line.parent is not None:
            cases[line.parent] += cases[line.code]
            deaths[line.parent] += deaths[line.code]
    return {line.code: (cases[line.code], deaths[line.code]) for line in lines}


def _depth(code: str, parents: dict[str, str | None]) -> int:
    parent = parents[code]
    return 0 if parent is None else 1 + _depth(parent, parents)


@lru_cache(maxsize=1)
def _cases() -> dict[str, list[int]]:
    return {
        code: apportion(total, [s * jitter(code, m, spread=0.12) for m, s in enumerate(season, 1)])
        for code, (total, season) in CASES.items()
    }
