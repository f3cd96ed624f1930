"""All forms that are known here: the built-in ones and those of the site's folders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ingestion.errors import ExpressionError, FormError
from ingestion.expressions import compile_expression
from ingestion.form import CodeList, Form, FormField, Rule
from ingestion.marked_yaml import Lines, line_of, load
from warehouse.settings import Settings

BUILT_IN = Path(__file__).resolve().parent / "forms"

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Catalogue(Mapping[str, Form]):
    """Forms by code."""

    forms: dict[str, Form]

    __hash__ = object.__hash__

    def __getitem__(self, code: str) -> Form:
        try:
            return self.forms[code]
        except KeyError:
            raise FormError(
                f"There is no form {code}.", mend=f"Known forms: {', '.join(self.forms)}.", form=code
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.forms)

    def __len__(self) -> int:
        return len(self.forms)

    def __contains__(self, code: object) -> bool:
        return code in self.forms


def load_forms(settings: Settings | None = None, *, folders: tuple[Path, ...] = ()) -> Catalogue:
    """Read the built-in forms and those of the settings' folders; a later form of the same code wins.

    They are read anew when one of their files has changed.
    """
    places = (BUILT_IN, *(settings.forms if settings else ()), *folders)
    files: list[tuple[Path, bool, int, int]] = []
    for folder in places:
        if not folder.is_dir():
            raise FormError(
                f"The folder of forms {folder} does not exist.",
                mend="Mend WAREHOUSE_FORMS.",
                file=str(folder),
            )
        for path in sorted((folder / "code_lists").glob("*.yml")):
            files.append((path, True, path.stat().st_mtime_ns, path.stat().st_size))
        for path in sorted(folder.glob("*.yml")):
            files.append((path, False, path.stat().st_mtime_ns, path.stat().st_size))
    return _read(tuple(files))


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, bool, int, int], ...]) -> Catalogue:
    """Forms and code lists of files; their times and sizes only tell one state of them from another."""
    code_lists: dict[str, CodeList] = {}
    found: dict[str, _Loaded] = {}
    for path, is_code_list, _, _ in files:
        data, lines = load(path)
        if is_code_list:
            code_list = _validate(CodeList, data, lines, path)
            code_lists[code_list.code] = code_list
        else:
            form = _validate(Form, data, lines, path)
            found[form.code] = _Loaded(form, path, lines)
    return Catalogue({code: _complete(code, found, code_lists, ()) for code in found})


@dataclass(frozen=True)
class _Loaded:
    form: Form
    path: Path
    lines: Lines

    def error(self, place: tuple[str | int, ...], what: str) -> FormError:
        line = line_of(self.lines, place)
        return FormError(f"{self.path}, line {line}: {what}.", file=str(self.path), line=line)


def _validate(model: type[_Model], data: dict[str, Any], lines: Lines, path: Path) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        places = [tuple(problem["loc"]) for problem in problems]
        told = []
        for problem, place in zip(problems, places, strict=True):
            # What only follows from a problem further in is not told.
            if any(other[: len(place)] == place and other != place for other in places):
                continue
            if problem["type"] == "default_factory_not_called":
                continue
            name = ".".join(str(part) for part in place) or path.stem
            reason = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
            told.append((line_of(lines, place), f"{name}: {reason}"))
        told.sort()
        first = told[0][0]
        text = "; ".join(f"line {line}: {what}" for line, what in told)
        raise FormError(f"{path}, {text}.", file=str(path), line=first) from error


def _complete(
    code: str, found: dict[str, _Loaded], code_lists: dict[str, CodeList], on_the_way: tuple[str, ...]
) -> Form:
    """The form with what it includes and its code lists, cross-checked."""
    loaded = found[code]
    form = loaded.form
    fields: dict[str, FormField] = {}
    rules: dict[str, Rule] = {}
    for index, include in enumerate(form.include):
        if include.form not in found or include.form in (*on_the_way, code):
            raise loaded.error(("include", index), f"the form {include.form} cannot be included")
        other = _complete(include.form, found, code_lists, (*on_the_way, code))
        for field in other.fields:
            if (
                include.fields == "all" or field.code in include.fields
            ) and field.code not in include.without:
                fields[field.code] = field
        for rule in other.rules:
            if (include.rules == "all" or rule.id in include.rules) and rule.id not in include.without:
                rules[rule.id] = rule
    own_codes: set[str] = set()
    for index, field in enumerate(form.fields):
        if field.code in own_codes:
            raise loaded.error(("fields", index, "code"), f"the field {field.code} stands twice")
        own_codes.add(field.code)
    unfolded = _unfolded(form)
    fields |= {field.code: field for field in unfolded.fields}
    own_rules: set[str] = set()
    for index, rule in enumerate(form.rules):
        if rule.id in own_rules:
            raise loaded.error(("rules", index, "id"), f"the rule {rule.id} stands twice")
        own_rules.add(rule.id)
    rules |= {rule.id: rule for rule in unfolded.rules}
    used = {field.code_list for field in fields.values() if field.code_list}
    for index, field in enumerate(form.fields):
        if field.code_list and field.code_list not in code_lists:
            raise loaded.error(("fields", index, "code_list"), f"there is no code list {field.code_list}")
    complete = form.model_copy(
        update={
            "fields": tuple(fields.values()),
            "rules": tuple(rules.values()),
            "code_lists": {name: code_lists[name] for name in sorted(used)},
        }
    )
    _cross_check(complete, loaded)
    return complete


def _unfolded(form: Form) -> Form:
    """The form with its repeated fields spelt out, neighbours of the same count number by number."""
    fields: list[FormField] = []
    for repeat, group in groupby(form.fields, key=lambda field: field.repeat):
        together = list(group)
        fields += (
            [field.numbered(number) for number in range(1, repeat + 1) for field in together]
            if repeat
            else together
        )
    places = {field.code: field.repeat for field in form.fields if field.repeat}
    if not places:
        return form
    rules = [
        rule.model_copy(
            update={
                "for_each": tuple(
                    name
                    for code in rule.for_each
                    for name in (
                        [f"{code}_{n}" for n in range(1, places[code] + 1)] if code in places else [code]
                    )
                )
            }
        )
        for rule in form.rules
    ]
    return form.model_copy(update={"fields": tuple(fields), "rules": tuple(rules)})


def _cross_check(form: Form, loaded: _Loaded) -> None:
    """What one part of a form says of another must be there."""
    known = form.by_code

    def expect(place: tuple[str | int, ...], code: str | None, *, role: str | None = None) -> None:
        if code is None:
            return
        if code not in known:
            raise loaded.error(place, f"the form has no field {code}")
        if role and known[code].role != role:
            raise loaded.error(place, f"the field {code} is no {role}")

    for index, code in enumerate(form.subject.identify_by):
        expect(("subject", "identify_by", index), code, role="identity")
    expect(("subject", "name"), form.subject.name, role="identity")
    if not form.subject.identify_by and not form.subject.from_source:
        raise loaded.error(("subject",), "say which columns identify the subject, or from_source")
    for index, code in enumerate(form.period.fields):
        expect(("period", "fields", index), code, role="identity")
    spells = sorted(form.editions, key=lambda edition: str(edition.valid_from or ""))
    for earlier, later in pairwise(spells):
        if earlier.valid_to is None or (later.valid_from and earlier.valid_to > later.valid_from):
            raise loaded.error(("editions",), f"the editions {earlier.code} and {later.code} overlap")
    _check_cards(form, loaded)
    _check_rules(form, loaded)
    editions = {edition.code for edition in form.editions}
    for index, field in enumerate(loaded.form.fields):
        expect(("fields", index, "unit_field"), field.unit_field)
        for edition in field.editions or ():
            if edition not in editions:
                raise loaded.error(("fields", index, "editions"), f"there is no edition {edition}")
    _check_layouts(form, loaded)


def _check_layouts(form: Form, loaded: _Loaded) -> None:
    for index, layout in enumerate(form.layouts):
        said = [
            *(("across", code, "breakdown") for code in layout.across if code != "period"),
            *(("measure", code, "measure") for code in (layout.measure, *layout.measures) if code),
            *(("parts", part.measure, "measure") for part in layout.parts),
        ]
        for key, code, role in said:
            if code not in form.by_code or form.by_code[code].role != role:
                raise loaded.error(("layouts", index, key), f"the form has no {role} {code}")
            if role == "breakdown" and not form.by_code[code].code_list:
                raise loaded.error(("layouts", index, key), f"{code} needs a code_list")


def _check_rules(form: Form, loaded: _Loaded) -> None:
    of_rule = {rule.id: rule for rule in form.rules}
    for index, statement in enumerate(loaded.form.statements):
        if statement.id in of_rule:
            raise loaded.error(("statements", index, "id"), f"{statement.id} is a rule already")
    for index, rule in enumerate(loaded.form.rules):
        _check_rule(form, of_rule[rule.id], loaded, ("rules", index))


def _check_rule(form: Form, rule: Rule, loaded: _Loaded, place: tuple[str | int, ...]) -> None:
    known = form.by_code
    for code in (*rule.for_each, *((rule.at,) if rule.at else ())):
        if code not in known:
            raise loaded.error(place, f"the form has no field {code}")
    if rule.parts_add_up:
        adds = rule.parts_add_up
        over = known.get(adds.over)
        if over is None or over.role != "breakdown" or not over.code_list:
            raise loaded.error(
                (*place, "parts_add_up", "over"), f"{adds.over} is no breakdown with a code list"
            )
        codes = form.code_lists[over.code_list].by_code
        for total in adds.totals:
            if total not in codes:
                raise loaded.error((*place, "parts_add_up", "totals"), f"{total} is not in {over.code_list}")
        for measure in adds.measures:
            if measure not in known:
                raise loaded.error((*place, "parts_add_up", "measures"), f"the form has no field {measure}")
    _check_expressions(form, rule, loaded, place)


def _check_expressions(form: Form, rule: Rule, loaded: _Loaded, place: tuple[str | int, ...]) -> None:
    types = {field.code: field.type for field in form.fields}
    for key, source in (("check", rule.check), ("when", rule.when)):
        for value in (rule.for_each or (None,)) if source else ():
            try:
                compiled = compile_expression(str(source), types, value=value)
            except ExpressionError as error:
                raise loaded.error((*place, key), error.message.rstrip(".")) from error
            if form.cards and compiled.previous:
                _check_of_earlier(form, rule, loaded, (*place, key))
            for code, _ in compiled.code_valid:
                if not form.by_code[code].code_list:
                    raise loaded.error((*place, key), f"code_valid: the field {code} has no code list")


def _check_of_earlier(form: Form, rule: Rule, loaded: _Loaded, place: tuple[str | int, ...]) -> None:
    """A rule on what a card said earlier says which cards it is about; it is asked when they are stored already."""
    assert form.cards is not None  # noqa: S101 - the caller looked
    if not rule.when or place[-1] == "when" or rule.severity == "hard" or rule.once_per_report:
        raise loaded.error(
            place,
            "previous(…) on cards: the check of a soft rule with a `when` that says which cards correct others",
        )
    if any(code not in {field.code for field in form.columns} for code in form.cards.key):
        raise loaded.error(place, "previous(…) on cards: a field of their key is not stored")


def _check_cards(form: Form, loaded: _Loaded) -> None:
    """The fields that make, date and identify a card, and no numbers that would be added up."""
    cards = form.cards
    if cards is None:
        return
    named = [("key", code) for code in cards.key] + [("date", cards.date)] * bool(cards.date)
    for number, person in enumerate(cards.persons):
        one = (person.citizen_number, person.birth_date, person.sex, person.address_code)
        named += [(f"persons.{number}", code) for code in (*one, *person.otherwise) if code]
    for key, code in named:
        if code not in form.by_code:
            raise loaded.error(("cards", key.split(".")[0]), f"the form has no field {code}")
    for index, field in enumerate(loaded.form.fields):
        if field.role == "measure":
            raise loaded.error(
                ("fields", index), f"{field.code}: the numbers of a card are attributes, not measures"
            )
