"""Everything the gate has to ask: suites written by hand, and those made from facts and from forms."""

from sqlalchemy import Engine

from expectations import facts
from expectations.catalogue import Catalogue, load
from expectations.generated import reconciliation


def from_files() -> Catalogue:
    """The checks that stand in the files of the product; no database is needed."""
    catalogue = load()
    for suite in facts.suites():
        catalogue = catalogue.with_suite(suite)
    return catalogue


def declared(auditor: Engine) -> Catalogue:
    """All of them, with those for the forms of this instance."""
    return from_files().with_suite(reconciliation(auditor))
