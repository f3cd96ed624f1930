"""Health of an Airflow service by its own page: ``python docker/health.py URL [PART]``; exit code 0 when healthy.

Standard library only, and milliseconds: ``airflow jobs check`` costs seconds of a processor each time.
"""

import json
import sys
import urllib.request


def healthy(url: str, part: str | None = None) -> bool:
    """True if the page at ``url`` answers without an error and, if it lists parts, calls ``part`` healthy."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - fixed URLs
            return part is None or bool(json.load(answer)[part]["status"] == "healthy")
    except (OSError, ValueError, LookupError):
        return False


if __name__ == "__main__":
    sys.exit(not healthy(*sys.argv[1:]))
