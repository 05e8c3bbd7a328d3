"""Who has access to a record, on its page: with whom it is shared, and why the reader sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access, records
from gigacore.access.verbs import RESPONSIBLE, verb_label
from gigacore.entity import fold
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.api.answers import answer as json_answer
from host_app.api.policies import on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import list_url
from host_app.pages.answers import parts, reason_of, refused
from host_app.pages.cells import person
from host_app.pages.columns import title_of
from host_app.pages.frame import is_partial, part
from host_app.pages.frame import page as answer
from host_app.pages.options import system_names
from host_app.pages.reader import Reader, reader
from host_app.pages.record_view import RULE, RecordView, seen_again, view_of
from host_app.routing import route

LEVELS: Final = ("view", "edit", RESPONSIBLE)
ASKED: Final = ("view", "edit", "delete", "assign", "share")
TARGETS: Final[Mapping[str, str]] = MappingProxyType({"user_id": "core.user", "team_id": "core.team"})


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with whom the record is shared."""

    name: Markup
    level: str
    team: bool
    id: int
    verb: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the reader may do something, and what decides that."""

    verb: str
    allowed: bool
    because: str


def register(app: Flask) -> None:
    """Declare the routes."""
    share = on_entity("share")
    route(app, f"{RULE}/access", policy=on_entity("view"))(explain)
    route(app, f"{RULE}/shares/options", policy=share)(options)
    route(app, f"{RULE}/shares", policy=share, methods=["POST"])(add)
    route(app, f"{RULE}/shares/remove", policy=share, methods=["POST"])(remove)


def access_card(view: RecordView, *, problem: str = "", typed: str = "") -> Markup:
    """The card, drawn."""
    return part(
        "access_card",
        owner=view.drawn("owner_id"),
        visibility=view.drawn("visibility"),
        parties=_parties(view),
        levels=[(verb, _level(verb, view)) for verb in LEVELS],
        path=view.path,
        refused="" if "share" in view.rights else view.refusal("share"),
        problem=problem,
        typed=typed,
        level=request.form.get("level", ""),
    )


def _level(verb: str, view: RecordView) -> str:
    return view.who.t(verb_label(verb))


def _parties(view: RecordView) -> list[Party]:
    ctx = view.who.ctx
    found = access.shares.of(ctx, view.record)
    users = records.labels_of(ctx.session, "core.user", [one.user_id for one in found if one.user_id])
    teams = records.labels_of(ctx.session, "core.team", [one.team_id for one in found if one.team_id])
    return [
        Party(person(users.get(one.user_id, "")), _level(one.verb, view), False, one.user_id, one.verb)
        if one.user_id
        else Party(
            Markup().join([teams.get(one.team_id or 0, "")]), _level(one.verb, view), True, one.team_id or 0, one.verb
        )
        for one in found
    ]


def add(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Share the record with a person or a team at a level."""
    view = view_of(plugin, plural, record_id)
    typed = request.form.get("with.text", "")
    try:
        party = _picked(view.who, request.form.get("with", ""), typed)
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            record = records.load(ctx, view.spec.name, record_id)
            access.shares.add(ctx, record, verb=request.form.get("level", "view"), **party)
    except Invalid as error:
        if not is_partial():
            return refused(error, view.path, view.who)
        return parts([access_card(view, problem=reason_of(error, view.who), typed=typed)], error.status)
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view)


def options(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """People and teams whose names contain `q`, as JSON for the picker; their ids read `user_id:7`."""
    return json_answer({"items": list(_found(reader(), request.args.get("q", "")))})


def _found(who: Reader, text: str) -> Iterable[dict[str, str]]:
    for key, target in TARGETS.items():
        hint = who.t(msg("Team")) if key == "team_id" else ""
        for number, name in system_names(who, target, text):
            yield {"id": f"{key}:{number}", "label": name, "hint": hint}


def _picked(who: Reader, picked: str, typed: str) -> dict[str, int]:
    """The person or team that was picked, or the only one that is called so. Raises Invalid."""
    if not picked and typed.strip():
        same = [one["id"] for one in _found(who, typed) if fold(one["label"]) == fold(typed)]
        picked = same[0] if len(same) == 1 else ""
    key, _, number = picked.partition(":")
    if key not in TARGETS or not number.isdigit():
        raise Invalid.of("with", msg("Choose a person or a team from the list."))
    return {key: int(number)}


def remove(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Take a share back."""
    view = view_of(plugin, plural, record_id)
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            record = records.load(ctx, view.spec.name, record_id)
            access.shares.remove(ctx, record, verb=request.form.get("level") or None, **_sent_party())
    except GigaError as error:
        return refused(error, view.path, view.who)
    return _anew(view)


def _sent_party() -> dict[str, int]:
    found = {name: request.form.get(name, "") for name in TARGETS}
    return {name: int(text) for name, text in found.items() if text.isdigit()}


def _anew(view: RecordView) -> ResponseReturnValue:
    """The card as it stands; the list where the reader gave up their own access."""
    if not is_partial():
        return redirect(view.path, 303)
    try:
        return parts([access_card(seen_again(view))])
    except NotFound:
        return Response(status=204, headers={"HX-Redirect": list_url(view.spec)})


def explain(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """What the reader may do with the record, each with what decides it."""
    view = view_of(plugin, plural, record_id)
    found = (access.explain(view.who.ctx, current(), verb, view.record) for verb in ASKED)
    verdicts = [Verdict(_level(one.verb, view), one.allowed, view.who.t(one.decided_by.text)) for one in found]
    if is_partial():
        return parts([part("verdicts", verdicts=verdicts)])
    return answer("verdicts.html", title=view.who.t(msg("Why you have access")), about=title_of(view.spec, view.item),
                  path=view.path, verdicts=verdicts)  # fmt: skip
