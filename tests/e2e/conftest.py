"""Here ``settings`` always come with a migrated database."""

import pytest

from warehouse.settings import Settings


@pytest.fixture
def settings(database: Settings) -> Settings:
    """Settings of an instance with a migrated, empty database of its own."""
    return database
