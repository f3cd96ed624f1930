"""Forms whose labels stand one below another: transposed tables, sheets of one report, and long tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.column_times import holds_several, time_of
from ingestion.form import Form
from ingestion.grids import FOOTER
from ingestion.label_index import LabelIndex, is_number, is_period, may_be_label
from ingestion.labels import is_total, squeeze
from ingestion.recognised import Column, Named, Pair, Spot
from ingestion.vocabulary import ASIDE, ITEM_CODES, ITEMS, UNIT_HEADS, VALUES
from ingestion.written_units import is_nothing, is_unit

# Labels are looked for in the first rows and columns only.
ROWS = 1000
COLUMNS = 40


@dataclass
class Found(Named):
    """Where the fields of one form stand in an upright arrangement."""

    kind: str
    form: Form
    first: int
    last: int
    fields: list[Column] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    records: list[Spot] = field(default_factory=list)
    records_are: str = ""
    item: int = -1
    value: int = -1
    unit: int = -1
    units: list[Column] = field(default_factory=list)
    items: set[str] = field(default_factory=set)
    unknown: list[Spot] = field(default_factory=list)
    left_out: list[Spot] = field(default_factory=list)
    ambiguous: list[tuple[Spot, tuple[str, ...]]] = field(default_factory=list)
    twice: list[tuple[Spot, str]] = field(default_factory=list)

    @property
    def matched(self) -> set[str]:
        """Codes of the fields found."""
        return {column.code for column in (*self.fields, *self.pairs)} | self.items

    @property
    def score(self) -> int:
        """How many labels speak for it, heads of columns that are members included."""
        heads = len(self.records) if self.records_are in self.form.by_code else 0
        return len(self.matched) + heads


def labels_of(
    cells: Sequence[Sequence[str]], index: LabelIndex
) -> dict[str, dict[tuple[int, int], tuple[str, ...]]]:
    """For each form the cells that may be its labels."""
    found: dict[str, dict[tuple[int, int], tuple[str, ...]]] = {}
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts[:COLUMNS]):
            if not may_be_label(text) or (column and texts[column - 1] == text):
                continue
            for form, codes in index.along(_path(cells, row, column)).items():
                found.setdefault(form, {})[row, column] = codes
    return found


def _path(cells: Sequence[Sequence[str]], row: int, column: int) -> tuple[str, ...]:
    """Headings left of a label, a merged one standing in each of its rows, and the label."""
    left: list[str] = []
    for before in range(column - 1, max(column - 4, -1), -1):
        text = cells[row][before]
        if text and text != cells[row][column] and text not in left and may_be_label(text):
            left.append(text)
    return (*reversed(left), cells[row][column])


def arrange(
    cells: Sequence[Sequence[str]],
    form: Form,
    labels: dict[tuple[int, int], tuple[str, ...]],
    index: LabelIndex,
) -> Found | None:
    """The upright arrangement that a form's labels show."""
    kinds = {layout.kind for layout in form.layouts}
    long = _long(cells, form, labels, index) if "long" in kinds else None
    if long:
        return long
    by_column: dict[int, set[str]] = {}
    for (_, column), codes in labels.items():
        by_column.setdefault(column, set()).update(codes)
    if not by_column:
        return None
    everything = set().union(*by_column.values())
    main = max(by_column, key=lambda column: len(by_column[column]))
    if "transposed" in kinds and len(by_column[main]) * 10 >= len(everything) * 9:
        found = _transposed(cells, form, main, labels)
        if found:
            return found
    return _sheet(cells, form, labels) if "sheet" in kinds else None


# Transposed


def _transposed(
    cells: Sequence[Sequence[str]], form: Form, main: int, labels: dict[tuple[int, int], tuple[str, ...]]
) -> Found | None:
    """Labels down one column, a record in each column to its right; None when only one column has values."""
    rows = sorted(row for row, column in labels if column == main)
    first, last = rows[0], rows[-1]
    found = Found("transposed", form, first, last)
    _fields_down(found, cells, main, labels)
    identities = {column.code for column in found.fields if form.by_code[column.code].role == "identity"}
    heads = _heads(cells, first, main)
    width = max((len(cells[row]) for row in range(first, last + 1)), default=0)
    columns = [
        column
        for column in range(main + 1, width)
        if any(column < len(cells[c.row]) and cells[c.row][column] for c in found.fields)
        and not _aside(cells, found.fields, column, heads.get(column, ""))
    ]
    at = heads_row(cells, first, main)
    found.records = [Spot(at, column, heads.get(column, "")) for column in columns]
    found.units = _units_beside(cells, found.fields, range(main + 1, width), heads)
    own = _of_other_times(found, cells)
    found.unknown = _unread_rows(cells, found, main)
    if own:
        return found
    columns = [spot.column for spot in found.records]
    named = {spot.label for spot in found.records if spot.label}
    if identities & {*form.subject.identify_by, *form.period.fields} and len(columns) >= 1:
        who = bool(identities & set(form.subject.identify_by))
        when = bool(identities & set(form.period.fields))
        if not when and named and all(is_period(name, form) for name in named):
            found.records_are = "period"
        elif not who and (breakdown := _members(form, named)):
            found.records_are = breakdown
        elif not who and len(columns) > 1 and named and not any(is_total(name) for name in named):
            found.records_are = "subject"
        return found if len(columns) > 1 or not _other_labels(labels, main) else None
    if (
        named
        and len(named) == len(columns)
        and all(is_period(name, form) or is_total(name) for name in named)
    ):
        found.records_are = "period"
        found.records = [spot for spot in found.records if not is_total(spot.label)]
        return found
    if breakdown := _members(form, named):
        found.records_are = breakdown
        return found
    if len(columns) > 1 and len(named) == len(columns) and form.subject.identify_by:
        found.records_are = "subject"
        found.records = [spot for spot in found.records if not is_total(spot.label)]
        return found
    return None


def _of_other_times(found: Found, cells: Sequence[Sequence[str]]) -> bool:
    """Leave out columns of other times than the report's; whether one is left, which is the period's own.

    Of several that are the period's own, such as 本月 of each unit, the heading above says what they are of.
    """
    kind = found.form.period.type
    times = [time_of(spot.label, kind) for spot in found.records]
    periods = any(is_period(spot.label, found.form) for spot in found.records)
    own = times.count("own")
    if not periods and not (own and "other" in times):
        return False
    left = [
        time == "other" or (periods and holds_several(spot.label, kind))
        for time, spot in zip(times, found.records, strict=True)
    ]
    found.left_out = [spot for spot, out in zip(found.records, left, strict=True) if out]
    found.records = [spot for spot, out in zip(found.records, left, strict=True) if not out]
    if own and own == len(found.records):
        above = [_above(cells, spot) for spot in found.records]
        different = own > 1 and len(set(above)) == own
        found.records = [
            Spot(spot.row - different, spot.column, label if different else "")
            for spot, label in zip(found.records, above, strict=True)
        ]
    return own == len(found.records) == 1


def _above(cells: Sequence[Sequence[str]], spot: Spot) -> str:
    """The heading above a head, of which only the first of its columns may hold it."""
    row = cells[spot.row - 1][: spot.column + 1] if spot.row else ()
    return next((text for text in reversed(row) if text), "")


def _fields_down(
    found: Found, cells: Sequence[Sequence[str]], main: int, labels: dict[tuple[int, int], tuple[str, ...]]
) -> None:
    """The labels of the column that holds them."""
    seen: set[object] = set()
    for row in range(found.first, found.last + 1):
        codes = labels.get((row, main), ())
        if codes:
            found.name(Spot(row, main, cells[row][main]), codes, seen)


def _members(form: Form, names: set[str]) -> str | None:
    """The breakdown that all heads of columns are members of."""
    for item in form.breakdowns:
        codes = form.code_lists.get(item.code_list or "")
        if codes and names and all(codes.code_of(name) for name in names):
            return item.code
    return None


def _other_labels(labels: dict[tuple[int, int], tuple[str, ...]], main: int) -> bool:
    return any(column != main for _, column in labels)


def heads_row(cells: Sequence[Sequence[str]], first: int, main: int) -> int:
    """The row above the labels that names the columns: the nearest with more than one text."""
    for row in range(first - 1, max(first - 4, -1), -1):
        if len({text for text in cells[row][main:] if text}) > 1:
            return row
    return max(first - 1, 0)


def _heads(cells: Sequence[Sequence[str]], first: int, main: int) -> dict[int, str]:
    if first == 0:
        return {}
    row = cells[heads_row(cells, first, main)]
    if len({text for text in row if text}) < 2:
        return {}
    return {column: text for column, text in enumerate(row) if text and column > main}


def _aside(cells: Sequence[Sequence[str]], fields: Sequence[Column], column: int, head: str) -> bool:
    """Whether a column holds units of measure, numbering or remarks."""
    if squeeze(head) in ASIDE:
        return True
    texts = [cells[field.row][column] for field in fields if column < len(cells[field.row])]
    texts = [text for text in texts if text]
    return bool(texts) and all(is_unit(text) or is_nothing(text) for text in texts)


def _units_beside(
    cells: Sequence[Sequence[str]], fields: Sequence[Column], columns: Sequence[int], heads: dict[int, str]
) -> list[Column]:
    """The units of measure that a column beside the labels gives for their rows."""
    for column in columns:
        texts = {one: cells[one.row][column] for one in fields if column < len(cells[one.row])}
        units = [one for one, text in texts.items() if is_unit(text)]
        if units and (squeeze(heads.get(column, "")) in UNIT_HEADS or _aside(cells, fields, column, "")):
            return [Column(one.row, column, text, one.code) for one, text in texts.items() if text]
    return []


# A sheet of one report


def _sheet(
    cells: Sequence[Sequence[str]], form: Form, labels: dict[tuple[int, int], tuple[str, ...]]
) -> Found | None:
    """Labels anywhere, each with its value to the right, or below when labels stand side by side."""
    rows = sorted({row for row, _ in labels})
    found = Found("sheet", form, rows[0], rows[-1])
    found.left_out = _heads_of_other_times(cells, found, labels)
    aside = {spot.column for spot in found.left_out}
    seen: set[str] = set()
    used: set[tuple[int, int]] = set()
    for row in rows:
        columns = sorted(column for at, column in labels if at == row)
        ends = {column: _end(cells[row], column) for column in columns}
        texts = ["" if column in aside else text for column, text in enumerate(cells[row])]
        beside = {column for column in columns if ends[column] + 1 in columns}
        below = len(beside) == len(columns) - 1 > 0 and not any(map(is_number, cells[row]))
        for number, column in enumerate(columns):
            spot = Spot(row, column, cells[row][column])
            codes = labels[row, column]
            if column in beside and not below:
                continue  # A heading of the label beside it.
            stop = columns[number + 1] if number + 1 < len(columns) else len(cells[row])
            while ends[column] + 1 in aside:
                ends[column] += 1
            place = (row + 1, column) if below else _right_of(texts, row, ends[column] + 1, stop)
            used |= {(row, column), place}
            if len(codes) > 1:
                found.ambiguous.append((spot, codes))
            elif codes[0] in seen:
                found.twice.append((spot, codes[0]))
            else:
                seen.add(codes[0])
                found.pairs.append(Pair(row, column, spot.label, codes[0], place[0], place[1]))
                units = [
                    at
                    for at in range(ends[column] + 1, 0 if below else stop)
                    if at != place[1] and is_unit(cells[row][at])
                ]
                found.units += [Column(row, at, cells[row][at], codes[0]) for at in units[:1]]
    found.last = max((pair.value_row for pair in found.pairs), default=found.last)
    found.unknown = _unread(cells, found, used)
    return found


def _end(row: Sequence[str], column: int) -> int:
    """Last column of a label merged over several."""
    while column + 1 < len(row) and row[column + 1] == row[column]:
        column += 1
    return column


def _right_of(cells: Sequence[str], row: int, start: int, stop: int) -> tuple[int, int]:
    """Cell of the value right of a label: the first filled one that is no unit of measure."""
    filled = [
        column
        for column in range(start, stop)
        if cells[column] and not is_unit(cells[column]) and not is_nothing(cells[column])
    ]
    return row, filled[0] if filled else start


def _heads_of_other_times(
    cells: Sequence[Sequence[str]], found: Found, labels: dict[tuple[int, int], tuple[str, ...]]
) -> list[Spot]:
    """Heads of a sheet's columns whose numbers are of another time than the report's, beside those of its own."""
    heads = [
        (time_of(text, found.form.period.type), Spot(row, column, text))
        for row in range(max(found.first - 1, 0), found.first + 1)
        for column, text in enumerate(cells[row])
        if (row, column) not in labels
    ]
    own = any(time == "own" for time, _ in heads)
    return [spot for time, spot in heads if time == "other" and own]


def _unread(cells: Sequence[Sequence[str]], found: Found, used: set[tuple[int, int]]) -> list[Spot]:
    """Labels of numbers that nothing took: labels the form does not know, or none at all."""
    numbering = {
        column
        for row in range(max(found.first - 1, 0), found.first + 1)
        for column, text in enumerate(cells[row])
        if squeeze(text) in ASIDE
    } | {spot.column for spot in found.left_out}
    unread = []
    for row in _rows_around(cells, found):
        for column, text in enumerate(cells[row]):
            if (row, column) in used or column in numbering or not is_number(text):
                continue
            if column and cells[row][column - 1] == text:
                continue
            left = next((at for at in range(column - 1, -1, -1) if cells[row][at]), column)
            unread.append(Spot(row, left, "" if left == column else cells[row][left]))
    return unread


def _unread_rows(cells: Sequence[Sequence[str]], found: Found, main: int) -> list[Spot]:
    """Rows of a transposed table with values whose label is none of the form's, or blank."""
    known = {spot.row for spot in (*found.fields, *(spot for spot, _ in (*found.ambiguous, *found.twice)))}
    return [
        Spot(row, main, cells[row][main])
        for row in _rows_around(cells, found)
        if row not in known
        and any(
            record.column < len(cells[row]) and is_number(cells[row][record.column])
            for record in found.records
        )
        and (not found.records or row > found.records[0].row or found.records[0].row >= found.first)
    ]


def _rows_around(cells: Sequence[Sequence[str]], found: Found) -> list[int]:
    """Rows of the labels, and those next to them up to a blank row or a signature."""
    # Values are looked for below labels also where the sheet ends with these.
    rows = list(range(found.first, min(found.last + 1, len(cells))))
    for step, start in ((-1, found.first - 1), (1, found.last + 1)):
        row = start
        while 0 <= row < len(cells) and any(cells[row]) and not any(map(FOOTER.match, cells[row])):
            rows.append(row)
            row += step
    return sorted(rows)


# Long


def _long(
    cells: Sequence[Sequence[str]],
    form: Form,
    labels: dict[tuple[int, int], tuple[str, ...]],
    index: LabelIndex,
) -> Found | None:
    """A row per field: one column of labels, one of values, and who and when beside them."""
    for row, texts in enumerate(cells[:40]):
        keys = [squeeze(text) for text in texts]
        times = [
            None if index.lookup(text).get(form.code) else time_of(text, form.period.type) for text in texts
        ]
        value = next((column for column, key in enumerate(keys) if key in VALUES), -1)
        value = times.index("own") if "own" in times else value
        item = next((column for column, key in enumerate(keys) if key in ITEMS), -1)
        if item < 0:
            item = next((column for column, key in enumerate(keys) if key in ITEM_CODES), -1)
        if value < 0 or item < 0:
            continue
        found = Found("long", form, row, row, item=item, value=value)
        for column, text in enumerate(texts):
            if column in (item, value) or not text:
                continue
            codes = index.lookup(text).get(form.code, ())
            if len(codes) == 1 and form.by_code[codes[0]].role != "measure":
                found.fields.append(Column(row, column, text, codes[0]))
            elif times[column] == "other":
                found.left_out.append(Spot(row, column, text))
            elif keys[column] in UNIT_HEADS and any(map(is_unit, _down(cells, row, column))):
                # 单位 may also head a column of institutions.
                found.unit = column
            elif keys[column] not in (ASIDE | ITEM_CODES | ITEMS):
                found.unknown.append(Spot(row, column, text))
        found.items = {code for (_, column), codes in labels.items() if column == item for code in codes}
        # Without anybody beside the labels it is a sheet of one report.
        return found if found.fields and found.items else None
    return None


def _down(cells: Sequence[Sequence[str]], row: int, column: int) -> list[str]:
    """The texts below a cell."""
    return [texts[column] for texts in cells[row + 1 :] if column < len(texts)]
