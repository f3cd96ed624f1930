"""Why a total and its parts may differ: what the numbers themselves give away."""

from collections.abc import Mapping, Sequence

_MOST = 3
_NAMED = 5
# A smaller difference equals some part by chance.
_TELLING = 10


def likely_causes(total: float, parts: Mapping[str, float], blank: Sequence[str]) -> list[tuple[str, str]]:
    """Candidate explanations (Chinese, English), the most telling first."""
    sum_ = sum(parts.values())
    difference = total - sum_
    causes: list[tuple[str, str]] = []
    for name, value in parts.items():
        mended = value + difference
        if _cut_off(value, mended):
            causes.append(
                (
                    f"“{name}”{value:.0f}可能多录或漏录了数字（应为{mended:.0f}？）",
                    f"{name} {value:.0f} may have digits too many or too few ({mended:.0f}?)",
                )
            )
        elif abs(difference) < _TELLING:
            continue
        elif value == -difference:
            causes.append(
                (
                    f"“{name}”（{value:.0f}）可能未计入合计",
                    f"{name} ({value:.0f}) may be left out of the total",
                )
            )
        elif value and value == difference:
            causes.append(
                (f"“{name}”（{value:.0f}）可能在合计中重复计入", f"{name} ({value:.0f}) may be counted twice")
            )
    if _cut_off(total, sum_):
        causes.append(("合计可能多录或漏录了数字", "the total may have digits too many or too few"))
    elif _transposed(total, sum_):
        causes.append(("合计的数字可能颠倒", "digits of the total may be transposed"))
    elif _one_digit(difference):
        causes.append(("合计或某一项可能有一位数字录错", "one digit of the total or of a part may be wrong"))
    if blank and difference > 0:
        more = "等" if len(blank) > _NAMED else ""
        causes.append(
            (
                f"有{len(blank)}项未填：{'、'.join(blank[:_NAMED])}{more}",
                f"{len(blank)} parts are blank: {', '.join(blank[:_NAMED])}{', …' if more else ''}",
            )
        )
        return [*causes[: _MOST - 1], causes[-1]] if len(causes) > _MOST else causes
    return causes[:_MOST]


def _digits(value: float) -> str:
    return f"{abs(value):.0f}"


def _cut_off(one: float, other: float) -> bool:
    """Whether one number begins with all digits of the other."""
    if one <= 0 or other <= 0 or one == other:
        return False
    long, short = sorted((_digits(one), _digits(other)), key=len, reverse=True)
    return len(long) > len(short) >= 2 and long.startswith(short)


def _transposed(one: float, other: float) -> bool:
    first, second = _digits(one), _digits(other)
    return len(first) == len(second) and sorted(first) == sorted(second)


def _one_digit(difference: float) -> bool:
    return abs(difference) >= _TELLING and len(_digits(difference).strip("0")) == 1
