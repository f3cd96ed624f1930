"""Print the part of ``requirements.lock`` that production needs: all but what only the group ``dev`` asks for.

The lock's own ``# via`` notes say who asked for each package. Runs before anything is installed, so it uses the
standard library only: ``python docker/runtime_lock.py requirements.lock``.
"""

import re
import sys
from pathlib import Path

PROJECT = "health-report-warehouse (pyproject.toml)"
BUILD = "health-report-warehouse (pyproject.toml:build)"
_HEAD = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==", re.MULTILINE)


def entries(lock: str) -> list[tuple[str, str]]:
    """Name and whole text of each package of the lock, in order; a name may stand twice with other markers."""
    heads = list(_HEAD.finditer(lock))
    ends = [head.start() for head in heads[1:]] + [len(lock)]
    return [(head["name"], lock[head.start() : end]) for head, end in zip(heads, ends, strict=True)]


def askers(entry: str) -> set[str]:
    """Who asked for the package, by the ``# via`` notes below it."""
    notes = [
        line.strip().removeprefix("#").strip() for line in entry.splitlines() if line.lstrip().startswith("#")
    ]
    return {note.removeprefix("via").strip() for note in notes} - {""}


def runtime(lock: str) -> str:
    """The lock without the packages that only development asks for."""
    known = entries(lock)
    wanted = {PROJECT, BUILD}
    while True:
        more = {name for name, entry in known if name not in wanted and askers(entry) & wanted}
        if not more:
            break
        wanted |= more
    return "".join(entry for name, entry in known if name in wanted)


if __name__ == "__main__":
    sys.stdout.write(runtime(Path(sys.argv[1]).read_text()))
