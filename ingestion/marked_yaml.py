"""YAML read together with the line of every key and item, so that errors can point at it."""

from pathlib import Path
from typing import Any

import yaml

from ingestion.errors import FormError

Lines = dict[tuple[str | int, ...], int]


# The parser in C takes a fifth of the time of the one in Python, which is felt in every command.
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"


def load(path: Path) -> tuple[dict[str, Any], Lines]:
    """Content of a YAML file and the 1-based line of every place in it."""
    try:
        text = path.read_text(encoding="utf-8")
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            lines: Lines = {}
            data = _construct(loader, node, (), lines, path) if node is not None else None
        finally:
            loader.dispose()
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(f"{path} cannot be read: {error}.", file=str(path)) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FormError(f"{path}, line {line}: {error.problem}.", file=str(path), line=line) from error
    if not isinstance(data, dict):
        raise FormError(f"{path}, line 1: a mapping of keys is expected.", file=str(path), line=1)
    return data, lines


def line_of(lines: Lines, place: tuple[str | int, ...]) -> int:
    """Line of a place, or of the nearest place around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _construct(loader: Any, node: yaml.Node, place: tuple[str | int, ...], lines: Lines, path: Path) -> Any:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if key_node.tag == _TEXT else loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if key in result:
                raise FormError(
                    f"{path}, line {line}: the key {key!r} stands twice.", file=str(path), line=line
                )
            lines[(*place, key)] = line
            result[key] = _construct(loader, value_node, (*place, key), lines, path)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, (*place, index), lines, path) for index, item in enumerate(node.value)
        ]
    # Most of a form is plain text, and asking the loader for it costs more than reading it did.
    return node.value if node.tag == _TEXT else loader.construct_object(node, deep=True)
