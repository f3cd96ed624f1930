"""A registry that tests fill by hand."""

import sys
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from warehouse.database import Role, engine

sys.path.insert(0, str(Path(__file__).parent))

from reports import Registry

HOSPITAL = {
    "event_date": date(2000, 1, 1),
    "event_type": "open",
    "name_zh": "甲医院",
    "class_code": "A100",
    "economic_type_code": "110",
    "region_code": "440507",
}
CENTRE = {**HOSPITAL, "name_zh": "乙中心", "class_code": "B100"}


@pytest.fixture
def registry(settings):
    """An empty registry with the built-in forms prepared, a hospital H1 and a community centre P1."""
    filled = Registry(settings)
    filled.unit("H1", HOSPITAL)
    filled.unit("P1", CENTRE)
    return filled


@pytest.fixture
def rows(settings):
    """Runs a query as the owner and returns its rows as dictionaries."""

    def run(query, **parameters):
        with engine(Role.OWNER).connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(query), parameters)]

    return run
