"""Files of the site folder, row by row: every error names file and line and says how to mend it."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from warehouse.errors import WarehouseError


class SiteError(WarehouseError):
    """A file of the site folder cannot be used; the message names file and line."""


class SiteRow(BaseModel):
    """A row of a site file; what it does not know is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        coerce_numbers_to_str=True,
        populate_by_name=True,
    )


Row = TypeVar("Row", bound=SiteRow)


class _NumberedLoader(yaml.SafeLoader):
    """Keeps the line of every mapping beside its content."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        mapping["__line__"] = node.start_mark.line + 1
        return mapping


def read_yaml(file: Path, model: type[Row], key: Any) -> list[Row]:
    """Entries of a YAML list; none when there is no file. ``key``: what two entries may not share."""
    if not file.exists():
        return []
    try:
        entries = yaml.load(file.read_text(encoding="utf-8"), Loader=_NumberedLoader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        raise SiteError(f"{where} is no valid YAML in UTF-8.", mend="Correct the line.") from error
    if isinstance(entries, dict) and file.stem in entries:
        entries = entries[file.stem]  # the list may stand under the file's own name
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SiteError(
            f"{file} must be a list of entries, each beginning with '- '.", mend="Correct its layout."
        )
    numbered = [(entry.pop("__line__"), entry) for entry in entries]
    return list(_rows(file, model, numbered, key))


def read_csv(file: Path, model: type[Row], key: Any) -> list[Row]:
    """Lines of a CSV file; none when there is no file. ``key``: what two lines may not share, if anything."""
    if not file.exists():
        return []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SiteError(f"{file} is not UTF-8.", mend="Save it as CSV UTF-8.") from error
    reader = csv.DictReader(lines, restkey="", strict=True)
    numbered: list[tuple[int, dict[str, Any]]] = []
    try:
        for entry in reader:
            if any(entry.values()):
                numbered.append((reader.line_num, {name: value for name, value in entry.items() if value}))
    except csv.Error as error:
        raise SiteError(f"{file}:{reader.line_num}: {error}.", mend="Correct the line.") from error
    return list(_rows(file, model, numbered, key))


def _rows(
    file: Path, model: type[Row], numbered: Sequence[tuple[int, dict[str, Any]]], key: Any
) -> Iterator[Row]:
    seen: dict[object, int] = {}
    for line, entry in numbered:
        try:
            row = model.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(str(part) for part in first["loc"]) or "the line"
            known = ", ".join(field.alias or name for name, field in model.model_fields.items())
            raise SiteError(
                f"{file}:{line}: {column or 'an extra cell'}: {first['msg']}.",
                mend=f"Columns and keys known here: {known}."
                if first["type"] in ("extra_forbidden", "missing")
                else "Correct the value.",
                file=str(file),
                line=line,
            ) from error
        if key is not None and key(row) in seen:
            raise SiteError(
                f"{file}:{line} repeats line {seen[key(row)]}.",
                mend="Remove one of them.",
                file=str(file),
                line=line,
            )
        if key is not None:
            seen[key(row)] = line
        yield row
