"""The small units that the plan counts: 130 outpatient departments, clinics and infirmaries, 32 village stations.

They stand in the directory and file nothing: the plan's total of visits is that of hospitals and centres alone.
"""

from datetime import date

from samples.identifiers import uscc

CLINICS, VILLAGE_STATIONS = 130, 32
_KINDS = (("门诊部", "D110", 18), ("诊所", "D211", 94), ("卫生所", "D300", 18))
_STREETS = tuple(f"44050700{number}" for number in range(1, 6))
_TOWNS = ("440507101", "440507100")
_FIRST_SERIAL = 1000


def events(region: str, note: str) -> list[dict[str, str]]:
    """Their openings, as rows of the directory."""
    rows = []
    serial = _FIRST_SERIAL
    for kind, class_code, number in _KINDS:
        for position in range(number):
            rows.append(
                _opening(f"LH-D{serial - _FIRST_SERIAL + 1:03d}", serial, f"龙湖样例{kind}{position + 1}")
                | {"class_code": class_code, "economic_type_code": "171", "sponsor_code": "3"}
                | {"management_class_code": "2", "township_code": _STREETS[position % len(_STREETS)]}
            )
            serial += 1
    for position in range(VILLAGE_STATIONS):
        rows.append(
            _opening(f"LH-V{position + 1:03d}", serial, f"龙湖样例村卫生站{position + 1}")
            | {"class_code": "D600", "economic_type_code": "120", "sponsor_code": "2"}
            | {"management_class_code": "1", "township_code": _TOWNS[position % len(_TOWNS)]}
        )
        serial += 1
    return [row | {"region_code": region, "note": note} for row in rows]


def _opening(code: str, serial: int, name: str) -> dict[str, str]:
    return {
        "organization_code": code,
        "event_date": date(2000 + serial % 13, 1 + serial % 12, 1).isoformat(),
        "event_type": "open",
        "name_zh": name,
        "uscc": uscc(serial, registered_by="92"),
        "level_code": "9",
        "grade_code": "9",
        "is_proxy_reporter": "0",
        "is_branch": "0",
    }
