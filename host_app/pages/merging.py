"""Making two records one, and erasing one for good: what would happen is seen first."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access, records
from gigacore.entity import FieldSpec
from gigacore.errors import Forbidden, GigaError, Invalid
from gigacore.messages import msg
from gigacore.records import MergePlan
from gigacore.values import dataclass
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current, keep_cookie
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.addresses import list_url, record_url, with_query
from host_app.pages.answers import reason_of
from host_app.pages.columns import label_of, number_of, title_of
from host_app.pages.frame import page as answer
from host_app.pages.fresh import is_fresh, prove
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import reader
from host_app.pages.record_view import RULE, RecordView, view_of
from host_app.routing import route

TAKE: Final = "take:"
ERASING: Final = "core.trash"


@dataclass(frozen=True, slots=True)
class Pair:
    """A field in which the two differ: its name, label, and what each has; `filled` when this one has none."""

    name: str
    label: str
    mine: Markup
    other: Markup
    filled: bool


def register(app: Flask) -> None:
    """Declare the routes."""
    edit, gone = on_entity("edit"), on_entity("delete")
    route(app, f"{RULE}/merge", policy=edit)(ask)
    route(app, f"{RULE}/merge", policy=edit, methods=["POST"])(merge)
    route(app, f"{RULE}/erase", policy=gone)(ask_erase)
    route(app, f"{RULE}/erase", policy=gone, methods=["POST"])(erase)


def ask(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Choose the other record; then the value of each field in which the two differ, and see what moves."""
    mine, raw = view_of(plugin, plural, record_id), raw_from(request.args.to_dict(flat=False))
    if not raw.text("other") and not raw.text("other.text"):
        return _choose(mine, Raw())
    try:
        number = plain_form.typed([_picker(mine)], raw, mine.who)["other"]
        if not isinstance(number, int) or number == record_id:
            raise Invalid.of("other", msg("A record cannot be merged with itself."))
    except Invalid as error:
        return _choose(mine, raw, error)
    return _compare(mine, view_of(plugin, plural, number))


def _picker(mine: RecordView) -> FieldSpec:
    return FieldSpec("other", "ref", label="Merge with", target=mine.spec.name, required=True)


def _choose(mine: RecordView, raw: Raw, error: Invalid | None = None) -> Response:
    who = mine.who
    wrong = plain_form.problems_of(error, who) if error else {}
    return answer(
        "merge_with.html", 422 if error else 200, title=who.t(msg("Merge {name}", name=title_of(mine.spec, mine.item))),
        inputs=plain_form.inputs([_picker(mine)], raw, who, wrong), **_crumbs(mine),
    )  # fmt: skip


def _crumbs(mine: RecordView) -> dict[str, str]:
    return {
        "home": mine.path,
        "about": title_of(mine.spec, mine.item),
        "list_path": list_url(mine.spec),
        "list_label": mine.who.t(mine.spec.label_plural),
    }


def _compare(mine: RecordView, other: RecordView, problem: str = "") -> Response:
    who = mine.who
    plan = records.merge_plan(who.ctx, mine.spec.name, mine.record_id, other.record_id)
    return answer(
        "merge.html",
        422 if problem else 200,
        title=who.t(msg("Merge two records")),
        mine=_named(mine),
        other=_named(other),
        other_id=other.record_id,
        pairs=_pairs(mine, other, plan),
        moves=[(_first_upper(who.t(what)), count) for what, count in plan.moves],
        swap=with_query(f"{other.path}/merge", [("other", mine.record_id)]),
        refused=problem or (reason_of(plan.refusal, who) if plan.refusal else ""),
        path=f"{mine.path}/merge",
        **_crumbs(mine),
    )


def _named(view: RecordView) -> tuple[str, str, str]:
    number = number_of(view.spec, view.record_id) if view.spec.id_prefix else f"#{view.record_id}"
    return title_of(view.spec, view.item), number, view.path


def _pairs(mine: RecordView, other: RecordView, plan: MergePlan) -> list[Pair]:
    return [
        Pair(
            f"{TAKE}{one.field.name}",
            label_of(one.field, mine.who),
            mine.drawn(one.field.name, short=False),
            other.drawn(one.field.name, short=False),
            one.mine is None,
        )
        for one in plan.fields
    ]


def merge(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Merge the other record into this one; a refusal says why."""
    spec, who = entity_at(plugin, plural), reader()
    number = request.form.get("other", type=int, default=0)
    chosen = [name for name, value in request.form.items() if value == "other"]
    take = [name.removeprefix(TAKE) for name in chosen if name.startswith(TAKE)]
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.merge(ctx, spec.name, record_id, number, take=take)
    except GigaError as error:
        if error.status == 404:
            raise
        return _compare(view_of(plugin, plural, record_id), view_of(plugin, plural, number), reason_of(error, who))
    note(who.t(msg("The two records are one now. The changes of this record take it back.")))
    return redirect(record_url(spec, record_id), 303)


def ask_erase(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """What erasing means, and the button that does it."""
    return _ask_erase(view_of(plugin, plural, record_id))


def _ask_erase(view: RecordView, problem: str = "", wrong: str = "") -> Response:
    who = view.who
    if not access.permits(who.ctx, f"{ERASING}.edit"):
        raise Forbidden(msg("Only those who may empty the trash may erase records."))
    return answer(
        "erase.html", 422 if problem or wrong else 200,
        title=who.t(msg("Erase {name} for good?", name=title_of(view.spec, view.item))),
        path=f"{view.path}/erase", problem=problem, wrong=wrong, ask_password=not is_fresh(), **_crumbs(view),
    )  # fmt: skip


def erase(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Erase the record; a sign-in that is not fresh asks for the password."""
    spec, who = entity_at(plugin, plural), reader()
    try:
        raw = prove()
    except Invalid as error:
        return _ask_erase(view_of(plugin, plural, record_id), wrong=who.t(error.message))
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.erase(ctx, spec.name, record_id)
    except GigaError as error:
        if error.status == 404:
            raise
        return _ask_erase(view_of(plugin, plural, record_id), reason_of(error, who))
    note(who.t(msg("The record is erased for good.")))
    response = redirect(list_url(spec), 303)
    if raw:
        keep_cookie(response, raw)  # type: ignore[arg-type]  # redirect() answers with werkzeug's base class
    return response


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
