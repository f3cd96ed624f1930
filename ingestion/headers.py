"""Forms that stand as rows of labels: tables, and wide layouts with headings of any depth."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingestion.column_times import Time, holds_several, time_of
from ingestion.form import Form, Layout, Part
from ingestion.label_index import PERIOD, LabelIndex, WideLabels, is_period, may_be_label
from ingestion.labels import is_total, squeeze
from ingestion.periods import read_period
from ingestion.recognised import Block, Column, Named, Spot
from ingestion.titles import names_reporter

# Rows above the labels that may hold headings.
DEPTH = 6
# How many rows below the first labels may repeat them in other words: machine names, instructions, printed names.
_REPEATS = 4
# What a missing required column weighs against recognised ones.
MISSING = 3


@dataclass(frozen=True)
class Candidate:
    """A form's layout with the row of its labels, and how much speaks for it."""

    form: Form
    layout: Layout
    row: int
    matched: int
    own: int
    complete: bool

    @property
    def score(self) -> int:
        """Recognised labels, less what is missing."""
        return self.matched if self.complete else self.matched - MISSING


def paths(head: Sequence[Sequence[str]], row: int) -> list[tuple[str, ...]]:
    """For each column the headings above a row and the row's own text; a blank cell takes the text above it."""
    found = []
    for column, leaf in enumerate(head[row]):
        above: list[str] = []
        for parent in range(row - 1, max(row - DEPTH, -1), -1):
            text = head[parent][column] if leaf == "" else _filled(head[parent], column)
            if text and text != leaf and text not in above:
                above.append(text)
        if leaf:
            found.append((*reversed(above), leaf))
        else:
            found.append(tuple(reversed(above)))
    return found


def _filled(row: Sequence[str], column: int) -> str:
    """Heading over a column where only the first of the merged cells holds it."""
    while column > 0 and not row[column]:
        column -= 1
    return row[column]


def candidates(head: Sequence[Sequence[str]], index: LabelIndex) -> Iterator[Candidate]:
    """Every form's table or wide layout that some row shows."""
    for row, cells in enumerate(head):
        if not any(map(may_be_label, cells)):
            continue
        # The files of a night repeat the same labels under the same headings.
        above = max(row - DEPTH, 0)
        window = tuple(map(tuple, head[above : row + 1]))
        known = index.rows.get(window)
        if known is None:
            known = tuple(_candidates_at(head, row, index))
            if known:
                index.remember(window, known)
        for one in known:
            yield one if one.row == row else replace(one, row=row)


def _candidates_at(head: Sequence[Sequence[str]], row: int, index: LabelIndex) -> Iterator[Candidate]:
    """What one row shows under the headings above it."""
    cells = head[row]
    along = paths(head, row)
    fields: dict[str, set[str]] = {}
    own: dict[str, set[str]] = {}
    for cell, path in zip(cells, along, strict=True):
        if not path:
            continue
        # A blank cell stands for the heading merged down into it.
        for code, codes in index.along(path if cell else path[-1:]).items():
            fields.setdefault(code, set()).update(codes)
            if cell:
                own.setdefault(code, set()).update(codes)
    for code, matched in fields.items():
        form = index.catalogue[code]
        layout = next((one for one in form.layouts if one.kind == "table"), None)
        if layout and own.get(code) and enough(form, matched):
            complete = all(f.code in matched for f in form.fields if f.required)
            yield Candidate(form, layout, row, len(matched), len(own[code]), complete)
    for wide in index.wide:
        found = _wide(wide, row, cells, along, fields.get(wide.form.code, set()))
        if found:
            yield found


def enough(form: Form, matched: set[str]) -> bool:
    """Whether recognised fields may be this form's: several of them, of which one is no mere identity.

    A form that neither title nor file name names needs a third one besides.
    """
    telling = sum(form.by_code[code].role in ("measure", "attribute") for code in matched)
    return telling >= 1 and len(matched) >= min(2, len(form.fields))


def _wide(
    wide: WideLabels, row: int, cells: Sequence[str], along: Sequence[tuple[str, ...]], fields: set[str]
) -> Candidate | None:
    blocks = own = 0
    for cell, path in zip(cells, along, strict=True):
        if not path or not _may_head(cell, wide):
            continue
        members, measure, helped = wide.resolve(path)
        if members and wide.complete(members, measure) and (helped or not cell):
            blocks += 1
            own += bool(cell)
    layout = wide.layout
    besides = {code for code in fields if code in row_fields(wide.form, layout)}
    least = 2 if layout.measures or PERIOD in layout.across else 3
    if not own or blocks < least or (PERIOD in layout.across and not besides):
        return None
    asked = row_fields(wide.form, layout)
    complete = all(f.code in besides for f in wide.form.fields if f.required and f.code in asked)
    return Candidate(wide.form, layout, row, blocks + len(besides), own, complete)


def row_fields(form: Form, layout: Layout) -> set[str]:
    """Fields that have a column of their own in a wide layout."""
    return {
        f.code
        for f in form.fields
        if f.role in ("identity", "attribute") or (f.role == "breakdown" and f.code not in layout.across)
    }


def last_label_row(head: Sequence[Sequence[str]], first: int, form: Form, index: LabelIndex) -> int:
    """The last of the label rows that begin at ``first``: machine names may be followed by printed ones.

    Only rows of words belong to the labels; the first number ends them.
    """
    shown = _named_in(head[first], form, index)
    last = first
    for row in range(first + 1, min(first + 1 + _REPEATS, len(head))):
        texts = [text for text in head[row] if text]
        if row == last + 1 and _says_times(texts, head[last], form, index):
            last = row
            continue
        if any(not may_be_label(text) and len(text) < 40 for text in texts):
            break
        again = _named_in(head[row], form, index)
        if len(again & shown) * 5 >= len(shown) * 3 and len(again) >= 2:
            last = row
    return last


def _says_times(texts: Sequence[str], labels: Sequence[str], form: Form, index: LabelIndex) -> bool:
    """Whether a row below the labels only says of what time their numbers are: 本月, 累计."""
    own = [text for text in texts if text not in labels]
    return bool(own) and all(_time(text, form, index) for text in own)


def _time(text: str, form: Form, index: LabelIndex) -> Time | None:
    """What a heading says of the time of its numbers, unless it is a label of the form; cards add nothing up."""
    if form.cards:
        return None
    time = time_of(text, form.period.type)
    return None if time is None or index.lookup(text).get(form.code) else time


def _without_time(
    path: tuple[str, ...], form: Form, index: LabelIndex, wide: WideLabels | None, own: set[str]
) -> tuple[tuple[str, ...], str | None]:
    """The headings without the one that says of what time the numbers are, and that one if it is another time."""
    word = next((text for text in path if _time(text, form, index)), None)
    if word is None:
        return path, None
    rest = tuple(text for text in path if text != word)
    whole = (word, *rest)
    if rest:
        asked, plain = (index.along(one).get(form.code, ()) for one in (whole, rest))
        field = asked != plain and set(asked) <= own
        if field or (wide and wide.resolve(whole)[:2] != wide.resolve(rest)[:2]):
            # The form asks for it: 上年同期 above or below 发病数 is a field of its own.
            return whole, None
    return rest or path, word if _time(word, form, index) == "other" else None


def _named_in(cells: Sequence[str], form: Form, index: LabelIndex) -> set[str]:
    return {code for text in set(cells) if text for code in index.lookup(text).get(form.code, ())}


@dataclass
class Described(Named):
    """What stands in the columns of a row of labels."""

    fields: list[Column] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    unknown: list[Spot] = field(default_factory=list)
    left_out: list[Spot] = field(default_factory=list)
    reporters: int = -1
    ambiguous: list[tuple[Spot, tuple[str, ...]]] = field(default_factory=list)
    twice: list[tuple[Spot, str]] = field(default_factory=list)


def describe(
    head: Sequence[Sequence[str]],
    row: int,
    form: Form,
    index: LabelIndex,
    *,
    wide: WideLabels | None = None,
    part: Part | None = None,
    year: int | None = None,
) -> Described:
    """Say of each column which field, or which block of a wide layout, it is; ``year`` is for bare months."""
    found = Described()
    seen: set[object] = set()
    own = row_fields(form, wide.layout) if wide else set(form.by_code)
    for column, headings in enumerate(paths(head, row)):
        leaf = head[row][column]
        spot = Spot(row, column, leaf or (headings[-1] if headings else ""))
        path, other = _without_time(headings, form, index, wide, own)
        if other:
            found.left_out.append(_under(other, spot))
            continue
        codes = index.along(path if leaf else path[-1:]).get(form.code, ()) if path else ()
        if codes and set(codes) <= own:
            found.name(spot, codes, seen)
            continue
        block = _block(wide, spot, path, part, year) if wide and path and _may_head(leaf, wide) else None
        if block is None and (longer := _sum_of_periods(wide, path)):
            found.left_out.append(_under(longer, spot))
        elif block is None and found.reporters < 0 and not form.cards and names_reporter(leaf):
            found.reporters = column
        elif block is None:
            # Sums over the columns of a wide layout are left out; its parts say the same.
            if not (wide and any(map(is_total, path))):
                found.unknown.append(spot)
        elif (key := (block.members, block.measure, block.period)) in seen:
            found.twice.append((spot, "/".join(code for _, code in block.members) or block.measure))
        else:
            seen.add(key)
            found.blocks.append(block)
    return found


def _sum_of_periods(wide: WideLabels | None, path: tuple[str, ...]) -> str | None:
    """The heading of a column among those of periods that is for a longer one, such as a quarter among months."""
    if wide is None or PERIOD not in wide.layout.across:
        return None
    return next((text for text in path if holds_several(text, wide.form.period.type)), None)


def _under(heading: str, spot: Spot) -> Spot:
    return spot if spot.label == heading else replace(spot, label=f"{heading} > {spot.label}")


def _may_head(cell: str, wide: WideLabels) -> bool:
    """Whether a cell may head a column: words, nothing (merged with the one above), or a month written 2016-01."""
    return (
        not cell
        or may_be_label(cell)
        or (
            PERIOD in wide.layout.across
            and bool(re.search(r"\d[-./]\d", cell))
            and is_period(cell, wide.form)
        )
    )


def _block(
    wide: WideLabels, spot: Spot, path: tuple[str, ...], part: Part | None, year: int | None
) -> Block | None:
    layout = wide.layout
    members, measure, _ = wide.resolve(path)
    period = read_period(members[PERIOD], wide.form.period.type, year) if PERIOD in members else None
    if not wide.complete(members, measure) or (PERIOD in members and period is None):
        return None
    measure = measure or layout.measure or (part or layout.parts[0]).measure
    named = tuple((across, members[across]) for across in layout.across if across != PERIOD)
    return Block(spot.row, spot.column, spot.label, named, measure, period)


def words_in(form: Form, text: str) -> int:
    """How many characters of a form's name or words stand in a squeezed text; 0 when none do."""
    return max((len(word) for word in _words(form) if word in text), default=0)


def _words(form: Form) -> list[str]:
    return [squeeze(word) for word in (form.code, form.name_zh, *form.words)]
