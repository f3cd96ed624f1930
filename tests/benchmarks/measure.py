"""How a benchmark is measured and told."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """One line of the table: seconds of ours (or only a note) and of a reference, and the ratio aimed at."""

    what: str
    ours: float | None
    reference: float | None
    aim: str
    note: str = ""

    @property
    def ours_text(self) -> str:
        told = [] if self.ours is None else [_seconds(self.ours)]
        return " ".join([*told, self.note] if self.note else told)

    @property
    def reference_text(self) -> str:
        return "" if self.reference is None else _seconds(self.reference)

    @property
    def ratio_text(self) -> str:
        return "" if self.ours is None or self.reference is None else f"{self.ours / self.reference:.2f}"


def best(action: Callable[[], object], tries: int = 5) -> float:
    """Seconds of the fastest of several tries."""
    times = []
    for _ in range(tries):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.1f} s"
