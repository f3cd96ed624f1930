"""Identifiers of constructed units: formally valid, and assigned to nobody.

Check digits follow GB 32100-2015 (unified social credit code) and GB 11714-1997 (organisation code).
"""

from warehouse.errors import WarehouseError

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
# No region code of GB/T 2260 starts with 99, so no registering office can ever have issued these.
UNASSIGNED_REGION = "999999"


class InvalidIdentifier(WarehouseError):
    """An identifier cannot be built from these characters."""


def organization_check(body: str) -> str:
    """Check character of an 8-character organisation code (GB 11714)."""
    if len(body) != len(ORGANIZATION_WEIGHTS) or not (body.isascii() and body.isalnum()):
        raise InvalidIdentifier(
            f"An organisation code has 8 letters or digits before its check character, not {body!r}."
        )
    remainder = 11 - sum(w * int(c, 36) for w, c in zip(ORGANIZATION_WEIGHTS, body.upper(), strict=True)) % 11
    return {10: "X", 11: "0"}.get(remainder, str(remainder))


def uscc_check(body: str) -> str:
    """Check character of the first 17 characters of a unified social credit code (GB 32100)."""
    if len(body) != len(USCC_WEIGHTS) or any(c not in USCC_ALPHABET for c in body):
        raise InvalidIdentifier(
            f"A social credit code has 17 characters without I, O, S, V, Z before its check, not {body!r}."
        )
    total = sum(w * USCC_ALPHABET.index(c) for w, c in zip(USCC_WEIGHTS, body, strict=True))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def organization_code(serial: int) -> str:
    """Organisation code (9 characters) of the constructed unit with this number."""
    body = f"9990{serial:04d}"
    return body + organization_check(body)


def uscc(serial: int, *, registered_by: str) -> str:
    """Social credit code of the constructed unit; ``registered_by``: 12 public body, 52 non-profit, 91 company."""
    body = registered_by + UNASSIGNED_REGION + organization_code(serial)
    return body + uscc_check(body)


def is_uscc(code: str) -> bool:
    """Whether both check characters of a social credit code are right."""
    try:
        return (
            len(code) == 18
            and uscc_check(code[:17]) == code[17]
            and organization_check(code[8:16]) == code[16]
        )
    except InvalidIdentifier:
        return False
