"""Ask Airflow's command line for each command that a service of the deployment runs; fails where one is missing.

One process for all of them: each start of the command costs seconds.
"""

import contextlib
import io
import sys

from airflow.cli.cli_parser import get_parser

COMMANDS = ("api-server", "scheduler", "dag-processor", "triggerer", "celery worker", "db migrate")


def missing(commands: tuple[str, ...] = COMMANDS) -> list[str]:
    """Those that this installation does not offer."""
    return [command for command in commands if not _offered(command)]


def _offered(command: str) -> bool:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            get_parser().parse_args([*command.split(), "--help"])
        except SystemExit as end:
            return end.code == 0
    return False


if __name__ == "__main__":
    if gone := missing():
        sys.exit(f"Airflow does not offer: {', '.join(gone)}")
