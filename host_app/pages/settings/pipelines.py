"""Pipelines with their stages on one page: names, order, probability, colour, meaning, and what replaces what goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import access, records
from gigacore.context import Context
from gigacore.crm import pipeline_changes as service
from gigacore.crm.pipelines import DEFAULT_STAGES, add_pipeline
from gigacore.errors import Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.records import ListRequest
from host_app.api.policies import on_tool
from host_app.pages.colours import hex_of
from host_app.pages.form import AGAIN
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import do
from host_app.routing import route

PATH: Final = "/settings/pipelines"
KINDS: Final[Mapping[str, Msg]] = {"open": msg("In progress"), "won": msg("Won"), "lost": msg("Lost")}
TYPED: Final = ("name", "french", "kind", "probability", "rotting_days", "colour")
PALETTE: Final[Mapping[str, Msg]] = {
    "": msg("as its meaning"), "blue": msg("blue"), "sky": msg("sky blue"), "cyan": msg("cyan"), "teal": msg("teal"),
    "green": msg("green"), "lime": msg("lime"), "yellow": msg("yellow"), "orange": msg("orange"), "red": msg("red"),
    "pink": msg("pink"), "purple": msg("purple"), "indigo": msg("indigo"), "grey": msg("grey"), "brown": msg("brown"),
}  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, PATH, policy=on_tool(service.PIPELINE, "view"))(show)
    route(app, PATH, policy=on_tool(service.PIPELINE, "edit"), methods=["POST"])(change_pipelines)
    route(app, f"{PATH}/<int:pipeline_id>", policy=on_tool(service.STAGE, "edit"), methods=["POST"])(change_stages)


def show() -> ResponseReturnValue:
    """Every pipeline with its stages."""
    return _shown({})


def _shown(typed: Mapping[str, str], pipeline_id: int = 0) -> ResponseReturnValue:
    """The pipelines, with what had been typed before a session ended: names, a stage of one, or a new one."""
    who = reader()
    pipelines = _all(who, service.PIPELINE)
    stages = _all(who, service.STAGE)
    counts = service.count_in_stages(who.ctx)
    active = [one["id"] for one in pipelines if one["active"]]
    cards = [_card(one, stages, counts, who) | {"default": active[:1] == [one["id"]]} for one in pipelines]
    _restore(cards, typed, pipeline_id)
    may = {verb: access.may(who.ctx, verb, service.PIPELINE) for verb in ("create", "edit", "delete")}
    return settings_page(
        "pipelines.html", who, title=who.t(msg("Pipelines")), cards=cards, may=may,
        kinds=[(key, who.t(label)) for key, label in KINDS.items()],
        colours=[(name, who.t(label)) for name, label in PALETTE.items()],
        restored=bool(typed), fresh=typed if typed.get("do") == "create" else {},
    )  # fmt: skip


def _restore(cards: Sequence[dict[str, Any]], typed: Mapping[str, str], pipeline_id: int) -> None:
    """Put what had been typed where it was typed."""
    wish, number = typed.get("do"), typed.get("id", "")
    values = {name: typed[name] for name in TYPED if name in typed} | {"unfold": True}
    for card in cards:
        if wish == "rename" and str(card["id"]) == number:
            card.update(values)
        if wish == "add" and card["id"] == pipeline_id:
            card["fresh"] = values
        for stage in card["stages"]:
            if wish == "save" and str(stage["id"]) == number:
                stage.update(values)


def _all(who: Reader, entity: str) -> list[dict[str, Any]]:
    return records.page(who.ctx, entity, ListRequest(sort=("position", "id"), limit=200, count=False)).items


def _card(
    pipeline: dict[str, Any], stages: Sequence[dict[str, Any]], counts: Mapping[int, int], who: Reader
) -> dict[str, Any]:
    mine = [stage for stage in stages if (stage["pipeline_id"] or {}).get("id") == pipeline["id"]]
    shown = [
        {
            **stage, "french": _french(stage), "kind_label": who.t(KINDS[stage["kind"]]),
            "used": counts.get(stage["id"], 0), "hex": hex_of(stage["colour"]),
            "others": [(other["id"], other["label"]) for other in mine if other["id"] != stage["id"]],
        }
        for stage in mine
    ]  # fmt: skip
    return {**pipeline, "french": _french(pipeline), "stages": shown, "used": sum(stage["used"] for stage in shown)}


def _french(named: Mapping[str, Any]) -> str:
    return str((named["labels"] or {}).get("fr", ""))


def change_pipelines() -> ResponseReturnValue:
    """Create, rename, order, switch, or remove a pipeline."""
    if AGAIN in request.form:
        return _shown(request.form)
    form, wish = request.form, request.form.get("do", "")
    number = _number("id") if wish not in ("create", "order") else 0

    def work(ctx: Context) -> None:
        match wish:
            case "create":
                _create(ctx, form.get("name", "").strip())
            case "rename":
                records.update(ctx, service.PIPELINE, number, _names())
            case "default":
                service.make_default(ctx, number)
            case "on" | "off":
                records.update(ctx, service.PIPELINE, number, {"active": wish == "on"})
            case "order":
                service.arrange(ctx, service.PIPELINE, _numbers("ids"))
            case "remove":
                service.remove_pipeline(ctx, number, _number("into") or None)
            case _:
                raise NotFound

    return do(work, PATH)


def _create(ctx: Context, name: str) -> None:
    if not name:
        raise Invalid.of("name", msg("A pipeline needs a name."))
    access.require(ctx, "create", service.PIPELINE)
    last = len(records.page(ctx, service.PIPELINE, ListRequest(limit=200, count=False)).items)
    add_pipeline(ctx, name, DEFAULT_STAGES, position=last)


def change_stages(pipeline_id: int) -> ResponseReturnValue:
    """Add, change, order or remove a stage of one pipeline."""
    if AGAIN in request.form:
        return _shown(request.form, pipeline_id)
    wish = request.form.get("do", "")

    def work(ctx: Context) -> None:
        match wish:
            case "add":
                records.create(ctx, service.STAGE, {**_typed(), "pipeline_id": pipeline_id, "position": 999})
            case "save":
                records.update(ctx, service.STAGE, _number("id"), _typed())
            case "up" | "down":
                service.arrange(ctx, service.STAGE, _moved(ctx, pipeline_id, _number("id"), -1 if wish == "up" else 1))
            case "order":
                service.arrange(ctx, service.STAGE, _numbers("ids"))
            case "remove":
                service.remove_stage(ctx, _number("id"), _number("into") or None)
            case _:
                raise NotFound

    return do(work, f"{PATH}#p{pipeline_id}")


def _typed() -> dict[str, Any]:
    form = request.form
    data: dict[str, Any] = {
        **_names(),
        "kind": form.get("kind", "open"),
        "colour": form.get("colour") or None,
    }
    for name in ("probability", "rotting_days"):
        text = form.get(name, "").strip()
        if text and not text.isdecimal():
            raise Invalid.of(name, msg("This must be a whole number."))
        if text or name == "rotting_days":
            data[name] = int(text) if text else None
    return data


def _names() -> dict[str, Any]:
    french = request.form.get("french", "").strip()
    return {"name": request.form.get("name", ""), "labels": {"fr": french} if french else None}


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _numbers(name: str) -> list[int]:
    return [int(text) for text in request.form.getlist(name) if text.isdecimal() and len(text) < 16]


def _moved(ctx: Context, pipeline_id: int, stage_id: int, step: int) -> list[int]:
    tree = {"field": "pipeline_id", "op": "eq", "value": pipeline_id}
    wanted = ListRequest(tree, sort=("position", "id"), fields=("id",), limit=200, count=False)
    ids = [item["id"] for item in records.page(ctx, service.STAGE, wanted).items]
    if stage_id not in ids:
        raise NotFound
    at = ids.index(stage_id)
    ids.insert(max(0, min(len(ids) - 1, at + step)), ids.pop(at))
    return ids
