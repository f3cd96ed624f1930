"""Identifiers of constructed units: formally valid, and assigned to nobody.

Check digits follow GB 32100-2015 (unified social credit code) and GB 11714-1997 (organisation code).
"""

import re

from ingestion.identifiers import USCC_ALPHABET, organization_check_digit, uscc_check_digit
from warehouse.errors import WarehouseError

# No region code of GB/T 2260 starts with 99, so no registering office can ever have issued these.
UNASSIGNED_REGION = "999999"


class InvalidIdentifier(WarehouseError):
    """An identifier cannot be built from these characters."""


def organization_check(body: str) -> str:
    """Check character of an 8-character organisation code (GB 11714)."""
    if not re.fullmatch("[0-9A-Za-z]{8}", body):
        raise InvalidIdentifier(
            f"An organisation code has 8 letters or digits before its check character, not {body!r}."
        )
    return organization_check_digit(body)


def uscc_check(body: str) -> str:
    """Check character of the first 17 characters of a unified social credit code (GB 32100)."""
    if not re.fullmatch(f"[{USCC_ALPHABET}]{{17}}", body):
        raise InvalidIdentifier(
            f"A social credit code has 17 characters without I, O, S, V, Z before its check, not {body!r}."
        )
    return uscc_check_digit(body)


def organization_code(serial: int) -> str:
    """Organisation code (9 characters) of the constructed unit with this number."""
    body = f"9990{serial:04d}"
    return body + organization_check(body)


def uscc(serial: int, *, registered_by: str) -> str:
    """Social credit code of the constructed unit; ``registered_by``: 12 public body, 52 non-profit, 91 company."""
    body = registered_by + UNASSIGNED_REGION + organization_code(serial)
    return body + uscc_check(body)
