"""Here databases know no form: these tests bring forms of their own, or none."""

import pytest


@pytest.fixture
def template() -> str:
    """A database that is migrated and empty."""
    return "warehouse_migrated"
