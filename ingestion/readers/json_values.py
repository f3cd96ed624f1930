"""JSON text as values, none of them lost, and values as what goes into one cell."""

import json
import re
from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def decode(text: str) -> Any:
    """A document; raises ValueError. Lone surrogates, which only escapes can write, become a mark."""
    document = json.loads(text, object_pairs_hook=_object, parse_constant=str)
    if not _SURROGATE.search(text):
        return document
    written = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return json.loads(written)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: of two values under one key one would vanish."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def flat(value: object) -> object:
    """A value as it goes into one cell."""
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")) if type(value) in (dict, list) else value
    )
