"""Integers that add up: a total split over weights by the largest-remainder method."""

import hashlib
from collections.abc import Sequence
from fractions import Fraction


def apportion(total: int, weights: Sequence[float | Fraction]) -> list[int]:
    """Non-negative integers in proportion to the weights whose sum is exactly ``total``."""
    shares = [Fraction(w) for w in weights]
    whole = sum(shares)
    if total < 0 or whole <= 0:
        raise ValueError(f"cannot split {total} over weights that sum to {whole}")
    exact = [total * share / whole for share in shares]
    result = [int(value) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (result[i] - exact[i], i))
    for i in by_remainder[: total - sum(result)]:
        result[i] += 1
    return result


def jitter(*key: object, spread: float) -> float:
    """A factor within 1 ± spread that depends on nothing but the key: the same on every machine, for ever."""
    digest = hashlib.sha256("|".join(map(str, key)).encode()).digest()
    return 1 + spread * (int.from_bytes(digest[:6], "big") / 2**47 - 1)
