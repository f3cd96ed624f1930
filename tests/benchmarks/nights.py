"""Wall time of ``warehouse nightly`` beside the sum of what its stages themselves took."""

import os
import subprocess
import sys
import time

from sqlalchemy import text

from tests.benchmarks.measure import Ratio
from warehouse.database import Role, engine
from warehouse.settings import Settings


def run(settings: Settings) -> list[Ratio]:
    """The first night on the sample reports, and a second one in which nothing changed."""
    warehouse = [sys.executable, "-m", "warehouse"]
    environment = {**os.environ, "WAREHOUSE_SETTLE_SECONDS": "0"}
    subprocess.run([*warehouse, "sample"], env=environment, check=True, capture_output=True)
    ratios = []
    for what in ("nightly, first night on the sample", "nightly, nothing changed"):
        started = time.perf_counter()
        subprocess.run([*warehouse, "nightly"], env=environment, check=True, capture_output=True)
        wall = time.perf_counter() - started
        ratios.append(Ratio(f"{what}, its stages' own work", wall, _own_work(), "near 1"))
    return ratios


def _own_work() -> float:
    """Seconds that the stages of the last run took."""
    with engine(Role.LOADER).connect() as connection:
        seconds = connection.scalar(
            text(
                "select sum(extract(epoch from finished_at - started_at)) from warehouse.stage"
                " where run_id = (select run_id from warehouse.run order by started_at desc limit 1)"
            )
        )
    return float(seconds or 0)
