"""Every declared check on the real star: silent on the sound sample, and loud when its own kind of damage is done."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine, text

from expectations import facts, gate
from expectations.catalogue import Catalogue
from expectations.declared import declared
from expectations.judging import Judge
from expectations.scope import EVERYTHING, rebuilt
from expectations.validation import Auditor
from ingestion import directory, inbox, intake, obligations, raw
from ingestion.site import load_site
from samples.longhu import write
from warehouse import building, star
from warehouse.database import Role, engine, make_engine, url
from warehouse.release import Candidate, open_candidate
from warehouse.settings import Settings

ONE = "ctid = (select min(ctid) from star.{table} where {where})"

# Damage done to the candidate's rows by the check that must find it: a file a table. ``T`` is the check's own
# table, and ``[…]`` one of its rows that meets a condition.
DAMAGES = Path(__file__).parent / "damages"
RECONCILES = "reconciles_"


@pytest.fixture
def candidate(settings: Settings) -> Candidate:
    """The Longhu sample, taken in and built."""
    write(settings.home)
    raw.prepare(settings)
    site = load_site(settings)
    directory.take_in(engine(Role.LOADER), site)
    for source in site.sources:
        intake.take_in(settings, source, inbox.waiting(settings, source), None)
    obligations.mark_due(engine(Role.LOADER), date(2016, 3, 31))
    opened = open_candidate(engine(Role.BUILDER), "test")
    assert opened is not None
    building.build(settings, opened)
    return opened


@pytest.fixture
def auditor(settings: Settings) -> Iterator[Engine]:
    made = make_engine(settings, Role.AUDITOR)
    yield made
    made.dispose()


def statement(table: str, sql: str) -> str:
    """Damage as it is written in the files, as SQL."""
    if "[" in sql:
        before, _, rest = sql.partition("[")
        where, _, after = rest.rpartition("]")
        sql = before + ONE.format(table=table, where=where) + after
    return re.sub(r"\bT\b", f"star.{table} ", sql)


def named() -> dict[str, str]:
    """SQL by check, from the files."""
    return {
        f"{file.stem}.{what}": statement(file.stem, sql)
        for file in sorted(DAMAGES.glob("*.yml"))
        for what, sql in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    }


def unlock(owner: Engine) -> list[str]:
    """Drop what would refuse the damage (constraints, not null), and keep a copy of every table."""
    with owner.begin() as connection:
        tables = list(star.tables(connection))
        connection.execute(text("create schema kept"))
        for table in tables:
            connection.execute(text(f"create table kept.{table} as select * from star.{table}"))
            connection.execute(
                text(
                    f"""do $$ declare part record; begin
                    for part in select conname from pg_constraint where conrelid = 'star.{table}'::regclass
                        and contype in ('p', 'u', 'c', 'x') loop
                        execute format('alter table star.{table} drop constraint %I', part.conname);
                    end loop;
                    for part in select attname from pg_attribute
                        where attrelid = 'star.{table}'::regclass and attnum > 0 and attnotnull loop
                        execute format('alter table star.{table} alter %I drop not null', part.attname);
                    end loop;
                    alter table star.{table} disable trigger user; end $$"""
                )
            )
    return tables


def restore(owner: Engine, tables: list[str], sql: str) -> None:
    with owner.begin() as connection:
        for table in tables:
            if f"star.{table} " in sql + " ":
                connection.execute(text(f"truncate star.{table}"))
                connection.execute(text(f"insert into star.{table} select * from kept.{table}"))


def measures(owner: Engine) -> dict[str, str]:
    """A column with numbers of each fact that says how it is measured, where the sample has any."""
    found = {}
    with owner.connect() as connection:
        for fact in facts.facts():
            for column in fact.checked.measures:
                number = fact.columns[column] not in ("boolean", "text")
                query = f"select exists (select from star.{fact.table} where {column} is not null)"
                if number and connection.scalar(text(query)):
                    found[fact.table] = column
                    break
    return found


def damages(
    catalogue: Catalogue, reported: set[str], measured: dict[str, str], empty: set[str]
) -> dict[str, str]:
    """SQL by check: named in the files, and for what is made from forms and facts the same for every table.

    A form of which the sample has no report, and a table without rows, has nothing to damage: its checks are made as
    those of the others are.
    """
    found = named()
    checks = [check for suite in catalogue.suites for check in suite.declared]
    assert set(found) <= {check.id for check in checks}, "damage is named for checks that are not declared"
    for check in checks:
        table, _, what = check.id.partition(".")
        form = what.removeprefix(RECONCILES)
        if check.id in found:
            continue
        if table in empty and what in ("rows", "grain", "complete", "reconciles"):
            found[check.id] = ""
        elif what == "complete":
            found[check.id] = statement(
                table, "delete from T where report_id = (select min(report_id) from T )"
            )
        elif what == "reconciles" and table in measured:
            column = measured[table]
            found[check.id] = statement(
                table, f"update T set {column} = {column} + 1 where [{column} is not null]"
            )
        elif what == "rows":
            found[check.id] = f"delete from star.{table} "
        elif what == "grain":
            found[check.id] = f"insert into star.{table} select * from star.{table} limit 1"
        elif table == "fct_reported_value" and form != what and form in reported:
            found[check.id] = statement(
                table, f"update T set value = value + 1 where [form_code = '{form}' and value is not null]"
            )
        elif table == "fct_reported_value" and form != what:
            found[check.id] = ""
    return found


def test_the_sound_sample_passes_and_each_damage_is_found_by_its_check(
    settings: Settings, candidate: Candidate, auditor: Engine
) -> None:
    verdict = gate.audit(settings, candidate)
    assert verdict.passed, verdict.details()
    assert verdict.counts["warning"] == 0, verdict.details()

    catalogue = declared(auditor)
    owner = make_engine(settings, Role.OWNER)
    with owner.connect() as connection:
        reported = set(connection.scalars(text("select distinct form_code from star.fct_reported_value")))
        empty = {
            table
            for table in star.tables(connection)
            if not connection.scalar(text(f"select exists (select from star.{table})"))
        }
    # Probes have tests of their own.
    ids = {check.id for suite in catalogue.suites for check in suite.declared}
    by_check = damages(catalogue, reported, measures(owner), empty)
    assert set(by_check) == ids, f"no damage is known for {sorted(ids - set(by_check))}"

    tables = unlock(owner)
    unfound = []
    # Every report belongs to this candidate, so that the narrow look must find what the wide one would.
    looks = {"wide": EVERYTHING, "narrow": rebuilt(auditor)}
    for check_id, sql in by_check.items():
        if not sql:
            continue
        with owner.begin() as connection:
            done = connection.exec_driver_sql(sql.replace("%", "%%"))
            assert done.rowcount, f"the damage for {check_id} changes nothing"
        for name, look in looks.items():
            (suite,) = [suite for suite in catalogue.suites if suite.table == check_id.partition(".")[0]]
            task = suite.task(look)
            alone = replace(task, checks=tuple(check for check in task.checks if check.id == check_id))
            running = Auditor(url(settings, Role.AUDITOR))
            (result,) = Judge(auditor, candidate).suite(alone, running.run(alone))
            running.close()
            if result.status != "failed" or not result.failing_rows:
                unfound.append((check_id, name, result.status, result.observed))
        restore(owner, tables, sql)
    assert not unfound, "\n".join(map(str, unfound))
    verdict = gate.audit(settings, candidate)
    assert verdict.passed, verdict.details()
    owner.dispose()
