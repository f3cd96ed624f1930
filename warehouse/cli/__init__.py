"""The ``warehouse`` command: each step of the walk on its own, for people and, with ``--json``, for machines.

One module a group of commands. A command reads its arguments, calls a public function of a room and prints what
came back; whatever the function raises as a :class:`~warehouse.errors.WarehouseError` becomes one clear line.
"""

from warehouse.cli import checks, data, forms, indicators, metrics, night, releases, sample, server
from warehouse.cli.output import App

app = App(
    help="Warehouse of periodic health reports: nightly load, quarantine, releases.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (server, night, checks, sample, data, forms, indicators, metrics, releases):
    group.register(app)

__all__ = ["app"]
