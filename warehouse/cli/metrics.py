"""Command metrics: MetricFlow on this project."""

import typer

from warehouse import metrics as metricflow
from warehouse.cli.output import App
from warehouse.settings import get_settings


def register(app: App) -> None:
    """Add the command."""
    app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(metrics)


def metrics(context: typer.Context) -> None:
    """Ask MetricFlow for core indicators: what follows goes to its command mf, such as list metrics."""
    raise typer.Exit(metricflow.ask(get_settings(), context.args))
