"""Everything the gate has to ask: suites by hand, those made from facts and forms, and probes."""

import csv
from dataclasses import replace
from functools import cache

from sqlalchemy import Engine, text

from expectations import facts, probes
from expectations.catalogue import Catalogue, load
from expectations.generated import reconciliation
from warehouse.settings import CHECKOUT

PARTS = CHECKOUT / "dbt_project" / "seeds" / "indicator_part.csv"

_FORMS = "select distinct form_code from registry.form where period_type <> 'event' order by form_code"


def from_files() -> Catalogue:
    """The checks that stand in the files of the product; no database is needed, and no form has its own yet."""
    catalogue = load()
    for suite in facts.suites():
        catalogue = catalogue.with_suite(suite)
    return _with_probes(catalogue, [])


def declared(auditor: Engine) -> Catalogue:
    """All of them, with those for the forms of this instance."""
    with auditor.connect() as connection:
        forms = list(connection.scalars(text(_FORMS)))
    return _with_probes(from_files().with_suite(reconciliation(auditor)), forms)


def _with_probes(catalogue: Catalogue, forms: list[str]) -> Catalogue:
    made = probes.load({"form": forms, "indicator": _indicators()})
    return replace(catalogue, probes=tuple(made))


@cache
def _indicators() -> tuple[str, ...]:
    """Indicators that are rates: something is measured below the line."""
    with PARTS.open(encoding="utf-8", newline="") as seed:
        parts = csv.DictReader(seed)
        return tuple(sorted({row["indicator_code"] for row in parts if row["part"] == "denominator"}))
