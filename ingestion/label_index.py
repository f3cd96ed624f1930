"""Which fields, members and measures of the known forms a label may mean."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ingestion.form import Form, Layout
from ingestion.forms_catalogue import Catalogue
from ingestion.labels import label_keys, unmarked
from ingestion.periods import read_period

PERIOD = "period"
_LEAP = 2000
_NUMBER = re.compile(r"[-+.,/:%‰\d\s]*")
_CACHED = 1 << 15
_ROWS_CACHED, _ROW_CELLS = 256, 2048
# Longer texts are sentences, not labels.
LONGEST = 160


class LabelIndex:
    """The labels of all forms of a catalogue, and what was already looked up."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.full: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.bare: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for form in catalogue.values():
            for item in form.fields:
                for label in item.labels:
                    self._add(label, (form.code, item.code))
            known = {key for item in form.fields for label in item.labels for key in label_keys(label)}
            for item in form.fields:
                if not known & set(label_keys(item.code)):
                    self._add(item.code, (form.code, item.code))
        self.wide = [
            WideLabels(form, layout)
            for form in catalogue.values()
            for layout in form.layouts
            if layout.kind == "wide"
        ]
        # A text that ends no label is none, whatever heading stands above it.
        self.tails = {key[start:] for key in self.bare for start in range(len(key))}
        self._texts: dict[str, dict[str, tuple[str, ...]]] = {}
        self._paths: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
        self.rows: dict[tuple[tuple[str, ...], ...], Any] = {}

    def remember(self, window: tuple[tuple[str, ...], ...], candidates: tuple[object, ...]) -> None:
        """Keep what rows of labels show, which :mod:`ingestion.headers` found out; only narrow ones, and few."""
        if sum(map(len, window)) <= _ROW_CELLS:
            if len(self.rows) >= _ROWS_CACHED:
                self.rows.clear()
            self.rows[window] = candidates

    def _add(self, label: str, place: tuple[str, str]) -> None:
        full, bare = label_keys(label)
        for index, key in ((self.full, full), (self.bare, bare)):
            if place not in index[key]:
                index[key].append(place)

    def lookup(self, text: str) -> dict[str, tuple[str, ...]]:
        """Fields by form that a text may mean: as numbered if the form has that, else by its bare words."""
        known = self._texts.get(text)
        if known is None:
            if len(self._texts) > _CACHED:
                self._texts.clear()
            known = self._texts[text] = self._look_up(text) or self._look_up_unmarked(text)
        return known

    def _look_up(self, text: str) -> dict[str, tuple[str, ...]]:
        if not text or len(text) > LONGEST:
            return {}
        full, bare = label_keys(text)
        found: dict[str, tuple[str, ...]] = {}
        for places in (self.full.get(full, ()), self.bare.get(bare, ())):
            served = set(found)
            for form, code in places:
                if form not in served:
                    found[form] = (*found.get(form, ()), code)
        return found

    def _look_up_unmarked(self, text: str) -> dict[str, tuple[str, ...]]:
        words = unmarked(text)
        return self._look_up(words) if words != text else {}

    def along(self, path: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Fields by form that the last text of a path of headings may mean; a longer match wins."""
        known = self._paths.get(path)
        if known is None:
            if len(self._paths) > _CACHED:
                self._paths.clear()
            known = {}
            # Marks may tell labels apart, so a label is looked for with them first.
            for spelt in dict.fromkeys((path, tuple(map(unmarked, path)))):
                if may_be_label(spelt[-1]) and label_keys(spelt[-1])[1] in self.tails:
                    for text in spellings(spelt):
                        for form, codes in self.lookup(text).items():
                            known.setdefault(form, codes)
            self._paths[path] = known
        return known


class WideLabels:
    """The labels of one wide layout: members of its breakdowns, its measures, its periods."""

    def __init__(self, form: Form, layout: Layout) -> None:
        self.form = form
        self.layout = layout
        self.members: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for across in layout.across:
            if across == PERIOD:
                continue
            codes = form.code_lists[form.by_code[across].code_list or ""].codes
            for level in (0, 1):
                for code in codes:
                    # A number above a column only numbers it.
                    own = () if _NUMBER.fullmatch(code.code) else (code.code,)
                    for label in (*code.labels, *own):
                        place = (across, code.code)
                        key = label_keys(label)[level]
                        if not any(one == across for one, _ in self.members[key]):
                            self.members[key].append(place)
        self.measures = {
            key: measure
            for level in (1, 0)
            for measure in reversed(layout.measures)
            for label in (*form.by_code[measure].labels, measure)
            for key in (label_keys(label)[level],)
        }
        self._paths: dict[tuple[str, ...], tuple[dict[str, str], str | None, bool]] = {}
        self._texts: dict[str, tuple[tuple[str, str], ...]] = {}

    def resolve(self, path: tuple[str, ...]) -> tuple[dict[str, str], str | None, bool]:
        """Members by breakdown and the measure that a path of headings means, and whether its last text helped."""
        known = self._paths.get(path)
        if known is None:
            if len(self._paths) > _CACHED:
                self._paths.clear()
            known = self._resolve(path)
            bare = tuple(map(unmarked, path))
            if bare != path and not self.complete(*known[:2]):
                known = self._resolve(bare)
            self._paths[path] = known
        return known

    def complete(self, members: dict[str, str], measure: str | None) -> bool:
        """Whether a column's headings say everything that tells its numbers from the others."""
        return len(members) == len(self.layout.across) and (measure is not None or not self.layout.measures)

    def _resolve(self, path: tuple[str, ...]) -> tuple[dict[str, str], str | None, bool]:
        members: dict[str, str] = {}
        rest: list[tuple[str, bool]] = []
        helped = False
        for number, text in enumerate(path):
            last = number == len(path) - 1
            parts = self._split(text)
            for across, code in parts:
                if across not in members:
                    members[across] = code
                    helped = helped or last
            remainder = self._without(text, parts)
            if remainder:
                rest.append((remainder, last))
        measure = None
        if self.layout.measures and rest:
            texts = tuple(text for text, _ in rest)
            for spelling in spellings(texts):
                measure = self._measure(spelling)
                if measure:
                    helped = helped or rest[-1][1]
                    break
            # The measure may stand above its members.
            for text, _ in reversed(rest):
                measure = measure or self._measure(text)
        return members, measure, helped

    def _measure(self, text: str) -> str | None:
        full, bare = label_keys(text)
        return self.measures.get(full) or self.measures.get(bare)

    def _split(self, text: str) -> tuple[tuple[str, str], ...]:
        known = self._texts.get(text)
        if known is None:
            if len(self._texts) > _CACHED:
                self._texts.clear()
            known = self._texts[text] = self._parts(text) if len(text) <= LONGEST else ()
        return known

    def _parts(self, text: str) -> tuple[tuple[str, str], ...]:
        """Members that a text names: the whole of it, or its beginning and what follows."""
        if PERIOD in self.layout.across and is_period(text, self.form):
            return ((PERIOD, text),)
        full, bare = label_keys(text)
        whole = self.members.get(full) or self.members.get(bare)
        if whole:
            return tuple(whole)
        if self._measure(text) or (len(self.layout.across) < 2 and not self.layout.measures):
            return ()
        for end in range(len(bare) - 1, 0, -1):
            head, tail = self.members.get(bare[:end]), bare[end:].lstrip("-_/·、:>")
            if head and (tail in self.members or tail in self.measures or self._parts(tail)):
                return (*head, *self._parts(tail))
        return ()

    def _without(self, text: str, parts: tuple[tuple[str, str], ...]) -> str:
        """What a text says besides its members."""
        if not parts or not self.layout.measures:
            return "" if parts else text
        bare = label_keys(text)[1]
        tails = [bare[start:].lstrip("-_/·、:>") for start in range(1, len(bare))]
        return next((tail for tail in tails if tail in self.measures), "")


def is_period(text: str, form: Form) -> bool:
    """Whether a heading names a period of the form's kind, with its year or without."""
    return not text.isdecimal() and read_period(text, form.period.type, _LEAP) is not None


def may_be_label(text: str) -> bool:
    """Whether a text may be a label at all: numbers, dates and sentences are none."""
    return bool(text) and len(text) <= LONGEST and not _NUMBER.fullmatch(text)


def is_number(text: str) -> bool:
    """Whether a text is made of digits and their signs only."""
    return bool(text) and len(text) <= LONGEST and _NUMBER.fullmatch(text) is not None


def spellings(path: Sequence[str]) -> list[str]:
    """Texts that a label under headings may be known by, the most telling first."""
    above, leaf = list(path[:-1]), path[-1]
    runs = ["".join(above[start:]) + leaf for start in range(len(above))]
    single = [heading + leaf for heading in reversed(above[:-1])]
    return [*runs, *single, leaf]


@lru_cache(maxsize=4)
def index_of(catalogue: Catalogue) -> LabelIndex:
    """The label index of a catalogue, made once."""
    return LabelIndex(catalogue)
