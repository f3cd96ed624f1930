"""What may have happened to a number that is far off: a guess for the person who looks it up."""

_TIMES = (
    (700, 1430, "1,000 times"),
    (7_000, 14_300, "10,000 times"),
    (70, 143, "100 times"),
    (8, 12.5, "10 times, or a digit too many"),
    (0.0007, 0.00143, "a thousandth"),
    (0.00007, 0.000143, "a ten-thousandth"),
    (0.08, 0.125, "a tenth, or a digit too few"),
)


def cause_of(value: float, expected: float) -> str | None:
    """The likeliest cause that ``value`` stands where ``expected`` should; None when nothing simple explains it."""
    if value < 0:
        return "sign"
    ratio = (value + 1) / (expected + 1)
    for least, most, cause in _TIMES:
        if least <= ratio <= most:
            return cause
    if value == 0:
        return "nothing where there is much"
    if any(abs(other - expected) < 0.05 * expected for other in _swapped(value)):
        return "two digits swapped"
    return None


def _swapped(value: float) -> list[int]:
    """The whole numbers that have two neighbouring digits in each other's place."""
    if value != int(value) or value >= 1e15:
        return []
    digits = str(int(value))
    return [
        int(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])
        for at in range(len(digits) - 1)
        if digits[at] != digits[at + 1]
    ]
