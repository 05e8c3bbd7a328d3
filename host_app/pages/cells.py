"""How a value looks: for each kind of field, a function made once per page that turns values of `records` into HTML.

A list draws hundreds of cells, so everything that does not depend on the value (labels, patterns, addresses) is
settled when the function is made.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from gigacore.entity import EntitySpec, FieldSpec, Registry
from gigacore.entity.vocabularies import name_of, names
from gigacore.files import may_show
from gigacore.messages import Msg, msg
from gigacore.text.formats import Formats
from host_app.pages.addresses import list_url
from host_app.pages.colours import pill_class

Draw = Callable[[Any], str]

LONGEST: Final = 120
SPECIAL: Final = re.compile("[&<>'\"]").search
NUMBERS: Final = frozenset({"integer", "decimal", "money"})
DAY: Final = 86_400
FIVE_DIGITS: Final = 10_000
RECENT_DAYS: Final = 7


class Reading(Protocol):
    """What drawing needs to know of the reader."""

    @property
    def formats(self) -> Formats:
        """Dates, numbers and money in the reader's locale."""

    @property
    def now(self) -> dt.datetime:
        """The time of the request."""

    @property
    def registry(self) -> Registry:
        """The entities and choice lists."""

    @property
    def locale(self) -> str:
        """The reader's language."""

    def t(self, text: Msg | str) -> str:
        """`text` in the reader's language."""


def drawer(spec: FieldSpec, reader: Reading, *, short: bool = True) -> Draw:
    """The function that draws values of `spec`. `short` is for tables: long texts are cut, dates are relative."""
    make = KINDS.get(spec.kind, _text)
    return make(spec, reader, short)


def safe(value: Any) -> str:
    """`value` as text of a page. Most texts hold nothing to escape, and looking is cheaper than escaping."""
    text = value if type(value) is str else str(value)
    return text if SPECIAL(text) is None else str(escape(text))


def _text(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    if spec.vocabulary:
        return lambda value: safe(name_of(spec.vocabulary, value, reader.locale))
    if not short:
        return safe

    def draw(value: Any) -> str:
        text = safe(value)
        return text if len(text) <= LONGEST else safe(f"{str(value)[: LONGEST - 1].rstrip()}…")

    return draw


def _number(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    number = reader.formats.number
    return lambda value: number(value)


def _integer(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    if spec.name == "id" or (spec.maximum is not None and spec.maximum < FIVE_DIGITS):
        return str  # a number or a year: in "1,986" nobody reads 1986
    group = reader.formats.symbols[0]
    return lambda value: f"{value:,}".replace(",", group)


def _money(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    money = reader.formats.money
    return lambda value: safe(money(value.amount, value.currency))


def _boolean(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    yes, no = reader.t(msg("Yes")), reader.t(msg("No"))
    return lambda value: yes if value else ("" if short else no)


def _date(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    formats, near = reader.formats, Nearness(reader)

    def draw(day: dt.date) -> str:
        exact = formats.date(day)
        shown = near.day(day) or exact
        return exact if shown == exact else f'<time title="{exact}">{shown}</time>'

    return draw


def _moment(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    formats, near = reader.formats, Nearness(reader)

    def draw(moment: dt.datetime) -> str:
        exact = formats.datetime(moment)
        shown = near.moment(moment) or (formats.date(moment) if short else exact)
        return exact if shown == exact else f'<time title="{exact}">{shown}</time>'

    return draw


class Nearness:
    """Relative words for moments within a week of now, worked out once per distance."""

    __slots__ = ("_formats", "_just_now", "_known", "_now", "_today", "_zone")

    def __init__(self, reader: Reading) -> None:
        self._formats = reader.formats
        self._now = reader.now
        self._just_now = reader.t(msg("just now"))
        self._zone = reader.formats.zone
        self._today = reader.now.astimezone(self._zone).date()
        self._known: dict[tuple[str, int], str] = {}

    def day(self, day: dt.date) -> str:
        """`yesterday`, `in 3 days`; empty when further away than a week."""
        count = (day - self._today).days
        if abs(count) > RECENT_DAYS:
            return ""
        return self._words("d", count, lambda: self._formats.days(day, self._now))

    def moment(self, moment: dt.datetime) -> str:
        """The same of a moment, in hours and minutes within a day."""
        seconds = int((moment - self._now).total_seconds())
        if abs(seconds) >= DAY:
            return self.day(moment.astimezone(self._zone).date())
        if abs(seconds) < 60:
            return self._just_now
        unit = 3600 if abs(seconds) >= 3600 else 60
        count = int(seconds / unit)
        return self._words(
            "h" if unit == 3600 else "m", count, lambda: self._formats.distance(dt.timedelta(seconds=count * unit))
        )

    def _words(self, unit: str, count: int, make: Callable[[], str]) -> str:
        found = self._known.get((unit, count))
        if found is None:
            found = self._known[unit, count] = make()
        return found


def pill(label: str, colour: str, *, loud: bool = True) -> Markup:
    """A coloured pill with its text; a quiet one is a coloured dot with its text."""
    return Markup(f'<span class="pill {"" if loud else "q "}{pill_class(colour)}">{escape(label)}</span>')  # noqa: S704


def choice_label(labels: Mapping[str, str], label: str, reader: Reading) -> str:
    """A choice's label: the administrator's own in the reader's language, else the declared one, translated."""
    return labels.get(reader.locale) or reader.t(label)


KIND_WORDS: Final = (
    msg("Blocked"), msg("Email"), msg("Invalid"), msg("Missing"), msg("None"), msg("Quote"), msg("Social"),
)  # fmt: skip
"""Meanings of choices that are the words of nothing else."""


def kind_label(kind: str, reader: Reading) -> str:
    """What a choice means to the code, as people read it: `follow_up` -> "Follow up"."""
    if kind == "open":
        return reader.t(msg("In progress"))  # "Open" is what one does with a link
    if kind == "follow_up":
        return reader.t(msg("Follow-up"))  # "Follow up" is what one does next
    return reader.t(kind.replace("_", " ").capitalize())


def choices_of(spec: FieldSpec, reader: Reading) -> list[tuple[str, str, str, bool]]:
    """Key, label, colour and whether it may be newly chosen, of each value of a choice, enum or named field."""
    if spec.vocabulary:
        return [(code, name, "", True) for code, name in names(spec.vocabulary, reader.locale).items()]
    found = reader.registry.choice_list(spec)
    if found is not None:
        return [(c.key, choice_label(c.labels, c.label, reader), c.colour, c.active) for c in found.choices]
    return [(key, reader.t(label), "", True) for key, label in spec.choices]


def _choice(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    loud = _is_status(spec, reader.registry)
    known = _pills(spec, reader, loud)

    def draw(value: str) -> str:
        return known.get(value) or pill(value, "", loud=loud)

    return draw


def _pills(spec: FieldSpec, reader: Reading, loud: bool) -> Mapping[str, Markup]:
    """The pills of a field's values, drawn once per language and kept as long as the registry."""
    memo, key = reader.registry.memo, ("pills", spec.entity, spec.name, reader.locale, loud)
    found: Mapping[str, Markup] | None = memo.get(key)
    if found is None:
        found = {value: pill(label, colour, loud=loud) for value, label, colour, _active in choices_of(spec, reader)}
        memo[key] = found
    return found


def _is_status(spec: FieldSpec, registry: Registry) -> bool:
    """Whether the field is the one that tells where a record stands; only that one is painted in full."""
    entity = registry.entities.get(spec.entity)
    return entity is not None and entity.board == spec.name


def _choices(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    labels = {key: label for key, label, _colour, _active in choices_of(spec, reader)}
    tag = Markup('<span class="tag">{}</span>')
    return lambda value: " ".join(tag.format(labels.get(item, item)) for item in value)


def _url(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    def draw(value: str) -> str:
        shown = urlsplit(value).hostname or value if short else value
        text = escape(shown.removeprefix("www."))
        return f'<a href="{escape(value)}" rel="noopener noreferrer" target="_blank">{text}</a>'

    return draw


def _email(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    if short:
        return safe
    return lambda value: f'<a href="mailto:{(text := safe(value))}">{text.replace("@", "<wbr>@")}</a>'


def _phone(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    if short:
        return safe
    return lambda value: f'<a href="tel:{safe(value.replace(" ", ""))}">{safe(value)}</a>'


def initials(name: str) -> str:
    """`AL` of Ada Lovelace."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def person(name: str) -> Markup:
    """A person: a round mark with initials, and the name."""
    return Markup(f'<span class=who data-i="{escape(initials(name))}">{escape(name)}</span>')  # noqa: S704


def _ref(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    hidden = f'<span class="none">{escape(reader.t(msg("No access")))}</span>'
    target = _target(spec, reader.registry)
    path = list_url(target) if target else ""
    status = _is_status(spec, reader.registry)
    people: dict[str, Markup] = {}

    def draw(value: Any) -> str:
        label = value.get("label") if isinstance(value, Mapping) else str(value)
        if label is None:
            return hidden if value.get("hidden") else f"#{value['id']}"
        if spec.target == "core.user":
            return people.get(label) or people.setdefault(label, person(label))
        if status:
            return pill(label, value.get("colour") or "blue")
        return f'<a href="{path}/{value["id"]}">{safe(label)}</a>' if path else safe(label)

    return draw


def _target(spec: FieldSpec, registry: Registry) -> EntitySpec | None:
    """Where a reference leads; what belongs to the settings, such as a pipeline, is only named."""
    found = registry.entities.get(spec.target or "")
    return None if found is None or found.hidden or found.group == "Settings" else found


def _file(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    gone = reader.t(msg("This file is no longer kept."))
    picture = Markup('<img class="shot" src="/files/{}?show=1" alt="{}" loading="lazy">')
    link = Markup('<a href="/files/{}{}">{}</a>')

    def draw(value: Mapping[str, Any]) -> str:
        if value.get("name") is None:
            return Markup('<span class="none">{}</span>').format(gone)
        if spec.image is not None:
            return picture.format(value["uid"], value["name"])
        return link.format(value["uid"], "?show=1" if may_show(value["mime"]) else "", value["name"])

    return draw


def _json(spec: FieldSpec, reader: Reading, short: bool) -> Draw:
    def draw(value: Any) -> str:
        parts = [f"{name}: {one}" for name, one in value.items()] if isinstance(value, dict) else map(str, value)
        return escape(", ".join(parts))

    return draw


KINDS: Final[Mapping[str, Callable[[FieldSpec, Reading, bool], Draw]]] = MappingProxyType(
    {
        "integer": _integer,
        "decimal": _number,
        "money": _money,
        "boolean": _boolean,
        "date": _date,
        "datetime": _moment,
        "choice": _choice,
        "choices": _choices,
        "enum": _choice,
        "url": _url,
        "email": _email,
        "phone": _phone,
        "ref": _ref,
        "file": _file,
        "json": _json,
    }
)
