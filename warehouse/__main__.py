"""``python -m warehouse``: the ``warehouse`` command."""

from warehouse.cli import app

app(prog_name="warehouse")
