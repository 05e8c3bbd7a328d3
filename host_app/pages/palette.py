"""The search box and the command palette: records, what may be created, pages, settings and commands in one list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import EntitySpec, fold
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from host_app.pages.addresses import list_url, new_url, record_url, with_query
from host_app.pages.columns import new_label, number_of
from host_app.pages.frame import SETTINGS, is_partial, menu
from host_app.pages.frame import page as answer
from host_app.pages.reader import Reader, reader
from host_app.pages.settings import area
from host_app.routing import route, signed_in

MOST_PER_ENTITY: Final = 4
SHORTEST: Final = 2
COMMANDS: Final[tuple[tuple[str, Msg, str], ...]] = (
    ("theme=light", msg("Light theme"), "sun"),
    ("theme=dark", msg("Dark theme"), "moon"),
    ("theme=auto", msg("Theme of the system"), "palette"),
    ("density=", msg("Roomy rows"), "list"),
    ("density=compact", msg("Compact rows"), "list"),
    ("locale=en", msg("Language: English"), "language"),
    ("locale=fr", msg("Language: French"), "language"),
    ("dialog=shortcuts", msg("Keyboard shortcuts"), "help-circle"),
    ("form=/sign-out", msg("Sign out"), "logout"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One line: a link, or a command that a script carries out; `words` also find it."""

    label: str
    icon: str
    url: str = ""
    command: str = ""
    hint: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Hits:
    """Lines of one kind."""

    label: str
    hits: tuple[Hit, ...]


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/search", policy=signed_in)(search)


def search() -> ResponseReturnValue:
    """What `q` finds, by kind; without `q` what one can do from here. One statement for all records."""
    who, text = reader(), request.args.get("q", "").strip()
    groups = [group for group in _groups(who, text) if group.hits]
    template = "parts/search_hits.html" if is_partial() else "search.html"
    return answer(template, title=who.t(msg("Search")), q=text, groups=groups)


def _groups(who: Reader, text: str) -> Iterable[Hits]:
    if len(text) >= SHORTEST:
        yield from _records(who, text)
    yield Hits(who.t(msg("Create")), _matching(text, _creations(who)))
    yield Hits(who.t(msg("Pages")), _matching(text, _pages(who)))
    if text:
        yield Hits(who.t(msg("Settings")), _matching(text, _settings(who)))
    yield Hits(who.t(msg("Commands")), _matching(text, _commands(who)))


def _records(who: Reader, text: str) -> Iterable[Hits]:
    specs = {spec.name: spec for spec in who.entities("view")}
    found: dict[str, list[records.Found]] = {}
    for one in records.find(who.ctx, text, list(specs), MOST_PER_ENTITY + 1):
        found.setdefault(one.entity, []).append(one)
    return [_of_entity(who, specs[name], hits, text) for name, hits in found.items()]


def _of_entity(who: Reader, spec: EntitySpec, found: list[records.Found], text: str) -> Hits:
    hits = [
        Hit(one.title or number_of(spec, one.id), spec.icon, record_url(spec, one.id), hint=_number(spec, one.id))
        for one in found[:MOST_PER_ENTITY]
    ]
    if len(found) > MOST_PER_ENTITY:
        label = who.t(msg("All {things} with “{text}”", things=who.t(spec.label_plural).lower(), text=text))
        hits.append(Hit(label, "search", with_query(list_url(spec), [("q", text)])))
    return Hits(who.t(spec.label_plural), tuple(hits))


def _number(spec: EntitySpec, record_id: int) -> str:
    return number_of(spec, record_id) if spec.id_prefix else ""


def _creations(who: Reader) -> list[Hit]:
    specs = [spec for spec in who.entities("create") if spec.group != SETTINGS]
    new = who.t(msg("New"))
    return [Hit(new_label(spec, who), "plus", new_url(spec), words=f"{new} {who.t(spec.label)}") for spec in specs]


def _pages(who: Reader) -> list[Hit]:
    return [Hit(item.label, item.icon, item.url) for group in menu(who) for item in group.items]


def _settings(who: Reader) -> list[Hit]:
    return [Hit(entry.label, entry.icon, entry.url, words=f"{entry.help} {entry.words}") for entry in area.entries(who)]


def _commands(who: Reader) -> list[Hit]:
    return [Hit(who.t(label), icon, command=command) for command, label, icon in COMMANDS]


def _matching(text: str, hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """The lines in whose words each word of `text` stands."""
    words = fold(text).split()
    return tuple(hit for hit in hits if all(word in fold(f"{hit.label} {hit.hint} {hit.words}") for word in words))
