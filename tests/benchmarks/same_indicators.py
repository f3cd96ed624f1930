"""The statements that built ``fct_indicator``, run once more over a catalogue of the indicators made by hand alone.

Its model makes every indicator, the plain statement ten of one form: only the same rows can be held against each other.
"""

import re
import time
from pathlib import Path

from sqlalchemy import Connection, text

from tests.benchmarks.plain_indicators import PART
from warehouse.settings import Settings

SCHEMA = "alike"

_STEPS = ("int_indicator_register", "int_indicator_count", "int_indicator_unit", "fct_indicator")

# The lists that the steps read, cut down to the rows of PART.
_LISTS = f"""
drop schema if exists {SCHEMA} cascade;
create schema {SCHEMA};
create table {SCHEMA}.int_indicator_recipe as
    select distinct recipe.* from staging.int_indicator_recipe as recipe
    cross join lateral unnest(recipe.period_types) as period (period_type)
    where {PART};
update {SCHEMA}.int_indicator_recipe set period_types = array['month'];
create table {SCHEMA}.int_indicator_part as
    select part.* from staging.int_indicator_part as part
    inner join {SCHEMA}.int_indicator_recipe as recipe on part.recipe_no = recipe.recipe_no;
update {SCHEMA}.int_indicator_part set base_types = array['month'];
create table {SCHEMA}.int_indicator_slice as
    select slice.* from staging.int_indicator_slice as slice
    inner join {SCHEMA}.int_indicator_recipe as recipe on slice.recipe_no = recipe.recipe_no;
analyze {SCHEMA}.int_indicator_recipe, {SCHEMA}.int_indicator_part, {SCHEMA}.int_indicator_slice;
"""

_TABLE = re.compile(r'"staging"\."(int_indicator_\w+?)(?:__dbt_tmp)?"|"star"\."(fct_indicator)"')


def build(connection: Connection, settings: Settings, indexes: tuple[str, ...]) -> float:
    """Seconds of the steps and the table, with key and indexes, in schema ``alike``.

    To be called right after a first build, whose statements dbt has kept.
    """
    connection.exec_driver_sql(_LISTS)
    kept = settings.home / "dbt" / "target" / "run"
    started = time.perf_counter()
    for step in _STEPS:
        # One statement a step, as in the build: what it tells the planner holds for it alone.
        statement = f"begin; {_statement(kept, step)} commit;"
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    for columns in indexes:
        connection.execute(text(f"create index on {SCHEMA}.fct_indicator ({columns})"))
    return time.perf_counter() - started


def _statement(kept: Path, step: str) -> str:
    (file,) = kept.rglob(f"{step}.sql")
    return _TABLE.sub(lambda found: f'"{SCHEMA}"."{found[1] or found[2]}"', file.read_text())
