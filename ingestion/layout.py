"""Recognising a form's layout in a table by its labels, wherever they stand."""

import difflib
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from ingestion.form import Form, FormField, Layout, Part
from ingestion.forms_catalogue import Catalogue
from ingestion.labels import MONEY_UNITS, label_keys, squeeze
from ingestion.readers import Table

# Rows above the labels that may hold headings of merged columns.
DEPTH = 3

_PAIR = re.compile(r"^\s*([^:]{2,20}):\s*(.+?)\s*$")
_TITLE_UNIT = re.compile(r"(?:^|[^报位])(?:计量|金额|货币)?单位:\s*(" + "|".join(MONEY_UNITS) + r")(?!\w)")
_REPORTER = re.compile(r"(?:填报|报送|填表|编报)(?:单位|机构)(?:\([^)]*\))?:\s*(\S+)")


@dataclass(frozen=True)
class Column:
    """A recognised column: the field, or the member of the breakdown, that stands in it."""

    index: int
    code: str
    label: str


@dataclass(frozen=True)
class Recognised:
    """A form's layout found in a table."""

    form: Form
    layout: Layout
    part: Part | None
    header_row: int
    fields: tuple[Column, ...]
    members: tuple[Column, ...] = ()
    unknown: tuple[tuple[int, str], ...] = ()
    ambiguous: tuple[tuple[int, str, tuple[str, ...]], ...] = ()
    twice: tuple[tuple[int, str, str], ...] = ()
    missing: tuple[FormField, ...] = ()
    titles: tuple[str, ...] = ()
    title_values: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    title_unit: str | None = None
    reporter: str | None = None


_Place = tuple[str, str, str, str]  # form, layout, "field" or "member", code


class LabelIndex:
    """Which fields and members of all known forms a label may mean."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.full: dict[str, set[_Place]] = defaultdict(set)
        self.bare: dict[str, set[_Place]] = defaultdict(set)
        self.labels: dict[str, list[str]] = {}
        for form in catalogue.values():
            for layout in (one for one in form.layouts if one.kind in ("table", "wide")):
                for item in form.fields:
                    if layout.kind == "wide" and item.role not in ("identity", "attribute"):
                        continue
                    for label in item.labels:
                        self._add(label, (form.code, layout.code, "field", item.code))
                if layout.kind == "wide":
                    for code in form.code_lists[form.by_code[layout.across[0]].code_list or ""].codes:
                        for label in code.labels:
                            self._add(label, (form.code, layout.code, "member", code.code))

    def _add(self, label: str, place: _Place) -> None:
        full, bare = label_keys(label)
        self.full[full].add(place)
        self.bare[bare].add(place)

    def lookup(self, text: str) -> set[_Place]:
        """Places a label may mean: as numbered if that is known, else by its bare words."""
        full, bare = label_keys(text)
        exact = self.full.get(full, set())
        served = {place[:2] for place in exact}
        return exact | {place for place in self.bare.get(bare, set()) if place[:2] not in served}


@lru_cache(maxsize=4)
def index_of(catalogue: Catalogue) -> LabelIndex:
    """The label index of a catalogue, made once."""
    return LabelIndex(catalogue)


def recognise(table: Table, catalogue: Catalogue, file_name: str) -> Recognised | None:
    """The form and layout that a table's labels show best; None when they show none."""
    index = index_of(catalogue)
    head = table.head
    best: tuple[tuple[bool, bool, int, int, int], str, str, int] | None = None
    for row in range(len(head)):
        tallies: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for column in range(len(head[row])):
            for text in _candidates(head, row, column):
                places = index.lookup(text)
                for place in places:
                    tallies[place[:2]].add(place[2:])
                if places:
                    break
        for (form_code, layout_code), matched in tallies.items():
            form = catalogue[form_code]
            if not _enough(form, form.layout_named(layout_code), matched):
                continue
            complete = all(
                not f.required or ("field", f.code) in matched for f in _expected(form, layout_code)
            )
            named = _named(form, head[:row], table.sheet, file_name)
            rank = (complete, named, len(matched), -len(form.fields), -row)
            if best is None or rank > best[0]:
                best = (rank, form_code, layout_code, row)
    if best is None:
        return None
    return _describe(table, catalogue[best[1]], best[2], best[3], index=index, file_name=file_name)


def _expected(form: Form, layout_code: str) -> list[FormField]:
    wide = form.layout_named(layout_code).kind == "wide"
    return [f for f in form.fields if not wide or f.role in ("identity", "attribute")]


def _enough(form: Form, layout: Layout, matched: set[tuple[str, str]]) -> bool:
    if layout.kind == "wide":
        return sum(kind == "member" for kind, _ in matched) >= 3
    measures = sum(form.by_code[code].role == "measure" for kind, code in matched if kind == "field")
    required = sum(f.required for f in form.fields)
    return measures >= 1 and len(matched) >= min(3, required + 1)


def _named(form: Form, titles: list[list[str]], sheet: str, file_name: str) -> bool:
    text = squeeze(
        _nfkc("".join([*(text for row in titles for text in dict.fromkeys(row)), sheet, file_name]))
    )
    return any(squeeze(_nfkc(word)) in text for word in (form.code, form.name_zh, *form.words))


def _candidates(head: list[list[str]], row: int, column: int) -> list[str]:
    """Texts a column's label may be read as: with the headings above it, longest first."""
    leaf = head[row][column]
    above: list[str] = []
    for parent in range(row - 1, max(row - DEPTH, -1), -1):
        text = head[parent][column] if leaf == "" else _filled(head[parent], column)
        if text and text not in (leaf, *above):
            above.append(text)
    if not leaf:
        return above[:1]
    paths = ["".join(reversed(above[:length])) + leaf for length in range(len(above), 0, -1)]
    return [*paths, leaf]


def _filled(row: list[str], column: int) -> str:
    """Heading over a column where only the first of the merged cells holds it."""
    while column > 0 and not row[column]:
        column -= 1
    return row[column]


def _describe(
    table: Table, form: Form, layout_code: str, row: int, *, index: LabelIndex, file_name: str
) -> Recognised:
    layout = form.layout_named(layout_code)
    head = table.head
    body = table.rows_below(row + 1)
    fields: list[Column] = []
    members: list[Column] = []
    unknown: list[tuple[int, str]] = []
    ambiguous: list[tuple[int, str, tuple[str, ...]]] = []
    twice: list[tuple[int, str, str]] = []
    seen: set[tuple[str, str]] = set()
    for column in range(len(head[row])):
        candidates = _candidates(head, row, column)
        here: list[tuple[str, str]] = []
        for text in candidates:
            here = sorted({(p[2], p[3]) for p in index.lookup(text) if p[:2] == (form.code, layout.code)})
            if here:
                break
        label = head[row][column] or (candidates[0] if candidates else "")
        if not here:
            if label or body.to_series(column).null_count() < body.height:
                unknown.append((column, label))
        elif len(here) > 1:
            ambiguous.append((column, label, tuple(code for _, code in here)))
        elif here[0] in seen:
            twice.append((column, label, here[0][1]))
        else:
            seen.add(here[0])
            (fields if here[0][0] == "field" else members).append(Column(column, here[0][1], label))
    titles = _titles(head[:row])
    return Recognised(
        form=form,
        layout=layout,
        part=_part(layout, [*titles, table.sheet, file_name]),
        header_row=row,
        fields=tuple(fields),
        members=tuple(members),
        unknown=tuple(unknown),
        ambiguous=tuple(ambiguous),
        twice=tuple(twice),
        missing=tuple(
            f for f in _expected(form, layout_code) if f.required and ("field", f.code) not in seen
        ),
        titles=titles,
        title_values=_title_values(head[:row], form),
        title_unit=next((m[1] for m in map(_TITLE_UNIT.search, map(_nfkc, titles)) if m), None),
        reporter=next((m[1] for m in map(_REPORTER.search, map(_nfkc, titles)) if m), None),
    )


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _titles(rows: list[list[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for row in rows for text in row if text))


def _title_values(rows: list[list[str]], form: Form) -> dict[str, tuple[str, int, int]]:
    """Values of identity and attribute fields written above the table as 标签：值, with their cell."""
    labels = {
        key: f.code
        for f in form.fields
        if f.role in ("identity", "attribute")
        for label in f.labels
        for key in label_keys(label)
    }
    found: dict[str, tuple[str, int, int]] = {}
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            pair = _PAIR.match(_nfkc(text))
            if pair:
                code = labels.get(label_keys(pair[1])[1])
                if code:
                    found.setdefault(code, (pair[2], number + 1, column + 1))
            elif text and column + 1 < len(row) and text.endswith(("：", ":")) and row[column + 1]:
                code = labels.get(label_keys(text)[1])
                if code:
                    found.setdefault(code, (row[column + 1], number + 1, column + 2))
    return found


def _part(layout: Layout, texts: list[str]) -> Part | None:
    """The part a file is, by the words in its titles first and its name last."""
    for text in texts:
        lowered = _nfkc(text).casefold()
        hits = [part for part in layout.parts if any(word.casefold() in lowered for word in part.words)]
        if len(hits) == 1:
            return hits[0]
    return None


def nearest_label(label: str, form: Form, layout: Layout, taken: set[str]) -> str | None:
    """The form's label most like an unknown one, among fields that the file lacks."""
    choices: dict[str, str] = {}
    for item in form.fields:
        if item.code not in taken:
            choices.update({label_keys(text)[1]: text for text in item.labels})
    if layout.kind == "wide":
        for code in form.code_lists[form.by_code[layout.across[0]].code_list or ""].codes:
            if code.code not in taken:
                choices.update({label_keys(text)[1]: text for text in code.labels})
    close = difflib.get_close_matches(label_keys(label)[1], list(choices), n=1, cutoff=0.6)
    return choices[close[0]] if close else None


def nearest_forms(table: Table, catalogue: Catalogue) -> list[str]:
    """Names of forms that share at least one label with a table that was not recognised."""
    index = index_of(catalogue)
    hits: dict[str, int] = defaultdict(int)
    for row in table.head:
        for text in set(filter(None, row)):
            for form in {place[0] for place in index.lookup(text)}:
                hits[form] += 1
    return [catalogue[code].name_zh for code in sorted(hits, key=lambda code: -hits[code])[:2]]
