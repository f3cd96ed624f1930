"""YAML files read with the line of every entry, so that an error can name the place."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from expectations.errors import CatalogueError

Place = tuple[str | int, ...]


@dataclass
class Document:
    """Content of a YAML file and the line (1-based) on which each entry begins."""

    file: Path
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Line of an entry, or of the nearest entry around it."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return 1


def read(file: Path) -> Document:
    """Read one YAML file; raises :class:`CatalogueError` when it is no YAML or names an entry twice."""
    try:
        loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalogueError(
            f"{file}:{line}: not readable as YAML: {error.problem}.",
            mend="Mend the YAML.",
            file=str(file),
            line=line,
        ) from error
    document = Document(file)
    if node is not None:
        document.data = _build(loader, node, document, ())
    return document


def _build(loader: yaml.SafeLoader, node: yaml.Node, document: Document, place: Place) -> Any:
    document.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(loader.construct_object(key_node))
            line = key_node.start_mark.line + 1
            if key in mapping:
                raise CatalogueError(
                    f"{document.file}:{line}: {key!r} stands twice in one entry.",
                    mend="Remove one of the two.",
                    file=str(document.file),
                    line=line,
                )
            document.lines[(*place, key)] = line
            mapping[key] = _build(loader, value_node, document, (*place, key))
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, document, (*place, number)) for number, item in enumerate(node.value)]
    return loader.construct_object(node)
