"""The table of ratios (`make bench`): ours beside a reference, measured in the same run on the same server.

Nothing here passes or fails; the numbers are for people. Best of several tries, because noise only adds.
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import cards, gate, intake, loading, nights, publishing, star
from tests.benchmarks.instance import instance
from tests.benchmarks.measure import Ratio

BENCHMARKS = {
    "publishing": publishing.run,
    "loading": loading.run,
    "cards": cards.run,
    "intake": intake.run,
    "star": star.run,
    "gate": gate.run,
    "nights": nights.run,
}


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    console = Console()
    wanted = sys.argv[1:] or list(BENCHMARKS)
    ratios: list[Ratio] = []
    for name in wanted:
        with (
            tempfile.TemporaryDirectory(prefix="warehouse-bench-") as folder,
            instance(Path(folder)) as settings,
        ):
            started = time.perf_counter()
            ratios += BENCHMARKS[name](settings)
            console.print(f"[dim]{name}: {time.perf_counter() - started:.0f} s[/dim]")
    table = Table(title="Ratios, measured side by side in one run")
    for heading in ("what", "ours", "reference", "ratio", "aim"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for ratio in ratios:
        table.add_row(ratio.what, ratio.ours_text, ratio.reference_text, ratio.ratio_text, ratio.aim)
    console.print(table)


if __name__ == "__main__":
    main()
