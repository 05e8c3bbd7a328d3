"""Which column of a file goes into which field: a suggestion from labels, names and synonyms, and its check.

A mapping is `{heading: target}`. A target is a field name (`first_name`, `lead_scoring.score`), a child row's field
(`phones.1.phone`), `""` for a column that is left out, or `new:<kind>` for one that becomes a custom field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Final

from gigacore.entity import ChildSpec, EntitySpec, FieldSpec, fold
from gigacore.errors import FieldError, Invalid
from gigacore.exchange import synonyms
from gigacore.messages import msg
from gigacore.values import dataclass

LEFT_OUT: Final = ""
NEW: Final = "new:"
NEW_KINDS: Final = ("text", "longtext", "integer", "decimal", "date", "boolean", "url", "email", "phone")
MAX_CHILD_ROWS: Final = 20
_CHILD: Final = re.compile(r"(\w+)\.(\d{1,2})\.(\w+)")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBERED: Final = re.compile(r"(.*?)\s*(\d{1,2})")
OWN_KEY: Final = "uid"
SLOT_KINDS: Final = ("email", "phone", "url")

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed target. `child` and `position` are set for child rows."""

    path: str
    spec: FieldSpec
    child: str = ""
    position: int = 0


@dataclass(slots=True)
class Suggestion:
    """The suggested mapping; `ignored` are columns without a place, `key` the heading that identifies a row."""

    columns: dict[str, str] = field(default_factory=dict)
    key: str | None = None

    @property
    def ignored(self) -> list[str]:
        """Headings that nothing was found for."""
        return [heading for heading, target in self.columns.items() if not target]


def english(text: str) -> str:
    """The label as it was declared."""
    return text


def normal(text: str) -> str:
    """A heading for comparison: words in lower case without accents, separated by single spaces."""
    words = re.sub(r"[^a-z0-9#]+", " ", fold(_CAMEL.sub(" ", text)))
    return words.strip()


def writable(spec: FieldSpec) -> bool:
    """Whether a file may fill the field."""
    return not spec.readonly and not spec.computed and spec.kind != "file" and not spec.secret


def suggest(headings: Iterable[str], entity: EntitySpec, translators: Iterable[Translate] = ()) -> Suggestion:
    """The mapping of a file that nobody has mapped yet; headings are understood in English and in `translators`."""
    finder = Finder(entity, list(translators))
    result = Suggestion()
    wanted = list(headings)
    finder.own_export = OWN_KEY in {normal(heading) for heading in wanted}
    for heading in wanted:
        result.columns[heading] = finder.exact(heading)
    for heading in wanted:
        if not result.columns[heading]:
            result.columns[heading] = finder.loose(heading)
    result.key = key_column(result.columns, wanted, entity)
    return result


class Finder:
    """Finds a free target for each heading of one file."""

    def __init__(self, entity: EntitySpec, translators: list[Translate]) -> None:
        self.entity = entity
        self.used: set[str] = set()
        self.names: dict[str, list[str]] = {}
        self.derived: set[str] = set()
        self.labels: set[str] = set()
        self.own_export = False
        languages: list[Translate] = [english, *translators]
        for name, spec in entity.fields.items():
            if writable(spec):
                self._learn(name, spec, translators)
            else:
                self.derived |= {normal(translate(spec.label)) for translate in languages} | {normal(name)}
        for child in entity.children.values():
            for name in child.fields:
                self._learn_child(f"{child.name}.0.{name}", name)
            for translate in languages:
                self._learn_rows(child, translate)
        self.slots = {kind: list(slots(entity, kind)) for kind in SLOT_KINDS}

    def _learn(self, name: str, spec: FieldSpec, translators: list[Translate]) -> None:
        labels = [spec.label, *spec.labels.values(), *(translate(spec.label) for translate in translators)]
        self.labels |= {normal(label) for label in labels}
        own = [name, name.removesuffix("_id"), name.rpartition(".")[2], *labels]
        for text in dict.fromkeys(normal(one) for one in own):
            self.names.setdefault(text, []).insert(0, name)
        for text in synonyms.FIELDS.get(name, ()):
            self.names.setdefault(text, []).append(name)

    def _learn_child(self, path: str, name: str) -> None:
        for text in (normal(name), *synonyms.FIELDS.get(name, ())):
            self.names.setdefault(text, []).append(path)

    def is_derived(self, text: str) -> bool:
        """Whether our own export wrote this column from a field that cannot be written."""
        return self.own_export and text in self.derived and text not in self.labels

    def _learn_rows(self, child: ChildSpec, translate: Translate) -> None:
        """The headings of our own export."""
        for name, spec in child.fields.items():
            for position in range(MAX_CHILD_ROWS):
                heading = child_heading(translate(child.label), position, translate(spec.label))
                self.names.setdefault(normal(heading), []).insert(0, f"{child.name}.{position}.{name}")

    def exact(self, heading: str) -> str:
        """By name, label or numbered kind; the surest first, so that a synonym never takes another column's place."""
        text = normal(heading)
        if text in synonyms.ROW_NUMBERS or self.is_derived(text):
            return LEFT_OUT
        return self._take(self.names.get(text, [])) or self._slot(text)

    def loose(self, heading: str) -> str:
        """Without the word before the field's name (`Lead Owner`), or as the key of another system (`Account Id`)."""
        text = normal(heading)
        if text in synonyms.ROW_NUMBERS or self.is_derived(text):
            return LEFT_OUT
        if is_identity(text):
            return self._take(["external_id"])
        first, _, rest = text.partition(" ")
        if rest and first in (*synonyms.PREFIXES, normal(self.entity.label)):
            return self._take(self.names.get(rest, [])) or self._slot(rest)
        return LEFT_OUT

    def _take(self, names: Iterable[str]) -> str:
        for name in names:
            if name not in self.used:
                self.used.add(name)
                return name
        return LEFT_OUT

    def _slot(self, text: str) -> str:
        match = _NUMBERED.fullmatch(text)
        base, number = (match[1], int(match[2])) if match else (text, 0)
        for kind, words in synonyms.KINDS.items():
            if base in words or base.replace(" ", "") in words:
                free = self.slots[kind]
                return self._take(free[number - 1 :][:1] if number else free) or self._take(free)
        return LEFT_OUT


def child_heading(child: str, position: int, field: str) -> str:
    """The heading of a child row's field in our own export: `Phones 2 Phone`."""
    return f"{child} {position + 1} {field}"


def slots(entity: EntitySpec, kind: str) -> Iterator[str]:
    """Every place for a value of a kind, in order: the entity's fields, then the rows of a child with such a field."""
    for name, spec in entity.fields.items():
        if spec.kind == kind and writable(spec):
            yield name
    for child in entity.children.values():
        for name, spec in child.fields.items():
            if spec.kind == kind and writable(spec):
                yield from (f"{child.name}.{position}.{name}" for position in range(MAX_CHILD_ROWS))


def is_identity(text: str) -> bool:
    """Whether a heading names the key of another system: `Account Id`, `Identifiant client`, `Customer Reference`."""
    words = text.split()
    rest = [word for word in words if word not in synonyms.IDENTITY_WORDS]
    return len(rest) < len(words) and " ".join(rest) in synonyms.IDENTITY_OWNERS


def key_column(columns: Mapping[str, str], headings: Iterable[str], entity: EntitySpec) -> str | None:
    """The column by which a row is found again; None = the whole row.

    The uid of our own export comes first, then another system's key, then a unique field.
    """
    for heading in headings:
        if normal(heading) == OWN_KEY and not columns.get(heading):
            return heading
    for heading in headings:
        if columns.get(heading) == "external_id" or (not columns.get(heading) and is_identity(normal(heading))):
            return heading
    for heading in headings:
        spec = entity.fields.get(columns.get(heading, ""))
        if spec is not None and spec.unique:
            return heading
    return None


def parse_target(path: str, entity: EntitySpec) -> Target:
    """The target of one path. Raises Invalid when the entity has no such field, or nobody may write it."""
    if match := _CHILD.fullmatch(path):
        child = entity.children.get(match[1])
        spec = child.fields.get(match[3]) if child else None
        if child is not None and spec is not None and writable(spec) and int(match[2]) < MAX_CHILD_ROWS:
            return Target(path, spec, child.name, int(match[2]))
    found = entity.fields.get(path)
    if found is None or not writable(found):
        raise Invalid.of("mapping", msg("Nothing can be imported into {field}.", field=path), "unknown_field")
    return Target(path, found)


def parse(mapping: Mapping[str, str], headings: Iterable[str], entity: EntitySpec) -> dict[str, Target]:
    """The targets by heading, left-out columns aside. Raises Invalid with every fault of the mapping."""
    known, errors, result, taken = set(headings), [], {}, set()
    for heading, path in mapping.items():
        if not path or path.startswith(NEW):
            continue
        if heading not in known:
            errors.append(FieldError(heading, msg("The file has no column {name}.", name=heading), "unknown_column"))
        elif path in taken:
            errors.append(FieldError(heading, msg("Two columns go into {field}.", field=path), "duplicate"))
        else:
            taken.add(path)
            try:
                result[heading] = parse_target(path, entity)
            except Invalid as error:
                errors += [FieldError(heading, one.message, one.code) for one in error.errors]
    if errors:
        raise Invalid(errors=errors)
    if not result:
        raise Invalid(msg("No column of the file goes into any field."))
    return result
