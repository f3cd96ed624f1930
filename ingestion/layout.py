"""Recognising a form's layout in a table by its labels, wherever they stand."""

import difflib
import re
from collections import defaultdict
from collections.abc import Sequence

import polars as pl

from ingestion import upright
from ingestion.form import Form, FormField, Layout
from ingestion.forms_catalogue import Catalogue
from ingestion.headers import (
    MISSING,
    Candidate,
    candidates,
    describe,
    enough,
    last_label_row,
    row_fields,
    words_in,
)
from ingestion.label_index import LabelIndex, index_of, may_be_label
from ingestion.labels import label_keys, squeeze
from ingestion.periods import year_of
from ingestion.readers import Table
from ingestion.readers.cells import days_since_1904
from ingestion.recognised import Column, Recognised, Spot
from ingestion.shifted import width_of
from ingestion.titles import labelled_values, lines, part_of, plain, reporter_in, unit_of_money
from ingestion.vocabulary import UNIT_COLUMNS
from ingestion.written_units import unit_cells

__all__ = ["Column", "Recognised", "Spot", "nearest_forms", "nearest_label", "recognise"]

# What a form's name in the title or the file's name weighs against recognised labels.
_NAMED = 6


def recognise(table: Table, catalogue: Catalogue, file_name: str) -> Recognised | None:
    """The form and layout that a table's labels show best; None when they show none."""
    index = index_of(catalogue)
    head = table.head
    names = squeeze(plain(f"{table.sheet} {file_name}"))
    best = _best_header(head, index, names)
    if best is None or not best[1].complete or _doubtful(head, best[1], index):
        found = _best_upright(table, index, names)
        # Both read a lone row of labels; numbers beside the labels say that their values stand there.
        beside = best is not None and not all(may_be_label(text) for text in head[best[1].row] if text)
        if found and (best is None or (found[0][:2], beside) > (best[0][:2], False)):
            return _describe_upright(table, found[1], index)
    if best is None:
        return _nameable(table, index, file_name)
    return _describe(table, best[1], index, file_name)


def _best_header(
    head: Sequence[Sequence[str]], index: LabelIndex, names: str
) -> tuple[tuple[int, ...], Candidate] | None:
    best: tuple[tuple[int, ...], Candidate] | None = None
    titles: dict[int, str] = {}
    for one in candidates(head, index):
        if one.row not in titles:
            titles[one.row] = squeeze(plain("".join(lines(head[: one.row])))) + names
        word = words_in(one.form, titles[one.row])
        if not word and one.matched < min(3, len(one.form.fields)):
            continue
        rank = (one.score + _NAMED * bool(word), word, one.own, -len(one.form.fields), -one.row)
        if best is None or rank > best[0]:
            best = rank, one
    return best


def _doubtful(head: Sequence[Sequence[str]], best: Candidate, index: LabelIndex) -> bool:
    """Whether a row of labels may be something else: numbers or foreign texts in it, or more labels below it."""
    texts = [text for text in head[best.row] if text]
    if len(texts) > 2 * best.matched or not all(map(may_be_label, texts)):
        return True
    below = next((row for row in head[best.row + 1 :] if any(row)), ())
    code = best.form.code
    here = {one for text in texts for one in index.lookup(text).get(code, ())}
    more = {one for text in set(below) if text for one in index.lookup(text).get(code, ())} - here
    if best.layout.kind == "wide" and any(best.form.by_code[one].role == "measure" for one in more):
        return True
    return len(more) * 2 >= best.matched


def _cells(table: Table) -> list[list[str]]:
    """The upper left of a table as text, with merged cells filled."""
    more = upright.ROWS - len(table.head)
    frame = next(table.batches(len(table.head), more), pl.DataFrame()).head(more)
    rows = [list(row[: upright.COLUMNS]) for row in table.head]
    texts = frame.select(column for column in frame.columns[: upright.COLUMNS])
    rows += [["" if value is None else str(value).strip() for value in row] for row in texts.iter_rows()]
    for (top, left), (bottom, right) in table.merges:
        if top < len(table.head) <= bottom or len(table.head) <= top < len(rows):
            for row in rows[max(top, len(table.head)) : bottom + 1]:
                row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
    return rows


def _best_upright(
    table: Table, index: LabelIndex, names: str
) -> tuple[tuple[int, ...], upright.Found] | None:
    cells = _cells(table)
    best: tuple[tuple[int, ...], upright.Found] | None = None
    for code, labels in upright.labels_of(cells, index).items():
        form = index.catalogue[code]
        different = {one for codes in labels.values() for one in codes}
        if not enough(form, different):
            continue
        found = upright.arrange(cells, form, labels, index)
        if found is None or not enough(form, found.matched):
            continue
        told = found.matched | {found.records_are}
        complete = all(f.code in told for f in form.fields if f.required)
        word = words_in(form, squeeze(plain("".join(lines(cells[: found.first])))) + names)
        if not word and found.score < min(3, len(form.fields)):
            continue
        rank = (found.score - MISSING * (not complete) + _NAMED * bool(word), word, -len(form.fields))
        if best is None or rank > best[0]:
            best = rank, found
    return best


def _describe(table: Table, best: Candidate, index: LabelIndex, file_name: str) -> Recognised:
    form, layout, head = best.form, best.layout, table.head
    row = last_label_row(head, best.row, form, index)
    titles = lines(head[: best.row])
    part, part_code = part_of(layout, [*titles, table.sheet, file_name], file_name)
    wide = next((one for one in index.wide if one.form is form and one.layout is layout), None)
    found = describe(
        head, row, form, index, wide=wide, part=part, year=year_of([*titles, table.sheet, file_name])
    )
    places = [(c.column, c.code) for c in found.fields] + [(b.column, b.measure) for b in found.blocks]
    known = [column for column, _ in places]
    below, units = unit_cells(head[row:], places, form)
    width = width_of(table, [row])
    unknown = [
        spot
        for spot in found.unknown
        if spot.label
        # What stands behind the last field of the labels is no column: its row is told.
        or (
            (width is None or spot.column < width)
            and _holds_something(table, row + below + 1, spot.column, known, piecemeal=form.cards is not None)
        )
    ]
    # A column of units that the form does not have speaks for the numbers of its row.
    heads = [spot.column for spot in unknown if squeeze(spot.label) in UNIT_COLUMNS]
    unit = heads[0] if heads and layout.kind == "table" and form.cards is None else -1
    unknown = [spot for spot in unknown if spot.column != unit]
    seen = {column.code for column in found.fields}
    values = _title_values(table, best.row, form, index)
    asked = row_fields(form, layout) if wide else set(form.by_code)
    return Recognised(
        form=form,
        layout=layout,
        part=part_code,
        header_row=row + below,
        unit=unit,
        width=width,
        fields=tuple(found.fields),
        blocks=tuple(found.blocks),
        reporters=found.reporters,
        unknown=tuple(unknown),
        left_out=tuple(found.left_out),
        ambiguous=tuple(found.ambiguous),
        twice=tuple(found.twice),
        missing=_missing(form, asked - seen - set(values)),
        choices=layout.parts if part is None else (),
        titles=titles,
        title_values=values,
        title_unit=unit_of_money(titles),
        units=tuple(
            Column(row + below, column, units[column], code) for column, code in places if column in units
        ),
        reporter=reporter_in(titles),
        since_1904=table.since_1904,
    )


def _title_values(table: Table, first: int, form: Form, index: LabelIndex) -> dict[str, tuple[str, int, int]]:
    """What lines above the labels say of fields."""
    values = labelled_values(table.head[:first], form, index)
    if table.since_1904:
        for code in form.days & values.keys():
            text, row, column = values[code]
            values[code] = days_since_1904(pl.Series([text]))[0], row, column
    return values


def _records(body: pl.DataFrame, columns: list[int]) -> pl.DataFrame:
    """Rows that hold something in a known column: what stands alone below a table is no column of it."""
    known = [f"c{column}" for column in columns if column < body.width]
    return body.filter(pl.any_horizontal(pl.col(known).is_not_null())) if known else body


def _holds_something(table: Table, first: int, column: int, known: list[int], *, piecemeal: bool) -> bool:
    """Whether a column without a label has cells beside the records; of a line list its first rows speak."""
    if piecemeal:
        return any(cells[column] for cells in table.head[first:] if column < len(cells))
    body = _records(table.rows_below(first), known)
    return column < body.width and body.to_series(column).null_count() < body.height


def _missing(form: Form, absent: set[str]) -> tuple[FormField, ...]:
    return tuple(f for f in form.fields if f.required and f.code in absent)


def _describe_upright(table: Table, found: upright.Found, index: LabelIndex) -> Recognised:
    form = found.form
    layout = next(one for one in form.layouts if one.kind == found.kind)
    # Only what stands above the labels and their heads is a title; in a sheet the foot may say the period too.
    titles = lines(table.head[: found.first])
    rows = {spot.row for spot in (*found.fields, *found.pairs)}
    heads = next((record.row for record in found.records if record.label), None)
    width = width_of(table, [found.first] if found.kind == "long" else rows, heads)
    seen = found.matched | ({found.records_are} if found.records_are else set())
    values = _title_values(table, found.first, form, index)
    return Recognised(
        form=form,
        layout=layout,
        part="",
        header_row=found.first if found.kind == "long" else max(found.first - 1, 0),
        fields=tuple(found.fields),
        pairs=tuple(found.pairs),
        records=tuple(one for one in found.records if width is None or one.column < width),
        records_are=found.records_are,
        item=found.item,
        value=found.value,
        unit=found.unit,
        width=width,
        units=tuple(found.units),
        end_row=found.last + 1 if found.kind != "long" else None,
        unknown=tuple(found.unknown),
        left_out=tuple(found.left_out),
        ambiguous=tuple(found.ambiguous),
        twice=tuple(found.twice),
        missing=_missing(form, set(form.by_code) - seen - set(values)),
        titles=titles,
        title_values=values,
        title_unit=unit_of_money(titles),
        reporter=reporter_in(titles),
        since_1904=table.since_1904,
    )


def _nameable(table: Table, index: LabelIndex, file_name: str) -> Recognised | None:
    """A report without any number: a form told by the file's name alone, of which only an identity stands there."""
    for wide in index.wide:
        pattern = wide.layout.part_pattern
        if not pattern or not re.search(pattern, file_name):
            continue
        for row, texts in enumerate(table.head):
            own = [
                Column(row, column, text, codes[0])
                for column, text in enumerate(texts)
                if text and len(codes := index.lookup(text).get(wide.form.code, ())) == 1
            ]
            if own and all(wide.form.by_code[one.code].role != "measure" for one in own):
                _, part = part_of(wide.layout, [], file_name)
                return Recognised(
                    wide.form, wide.layout, part, row, fields=tuple(own), titles=lines(table.head[:row])
                )
    return None


def nearest_label(label: str, form: Form, layout: Layout, taken: set[str]) -> str | None:
    """The form's label most like an unknown one, among fields that the file lacks."""
    choices: dict[str, str] = {}
    for item in form.fields:
        if item.code not in taken:
            choices.update({label_keys(text)[1]: text for text in item.labels})
    for across in layout.across:
        if across in form.by_code:
            for code in form.code_lists[form.by_code[across].code_list or ""].codes:
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
            for form in index.lookup(text):
                hits[form] += 1
    return [catalogue[code].name_zh for code in sorted(hits, key=lambda code: -hits[code])[:2]]
