"""The builder of rules: filled in, judged while it is filled in, tried, kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.automation import ReadyRule, Rule
from gigacore.errors import GigaError, NotFound
from gigacore.messages import Msg, msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.answers import reason_of
from host_app.pages.automations import trying
from host_app.pages.automations.draft import Draft, edited, from_form
from host_app.pages.automations.meaning import Meaning, draft_of, mean
from host_app.pages.automations.showing import Board
from host_app.pages.automations.words import Teller
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.doing import again
from host_app.routing import route

TOOL: Final = "core.rule"
HOME: Final = "/automations"
NEW: Final = f"{HOME}/new"
ONE: Final = f"{HOME}/<int:rule_id>"
KEEP: Final = ("save", "on")
TRY: Final = ("try", "past")


def register(app: Flask) -> None:
    """Declare the routes."""
    seen, made = on_tool(TOOL, "view"), on_tool(TOOL, "create")
    route(app, NEW, policy=made)(new)
    route(app, NEW, policy=made, methods=["POST"])(build_new)
    route(app, f"{HOME}/words", policy=made, methods=["POST"])(words)
    route(app, ONE, policy=seen)(one)
    route(app, ONE, policy=made, methods=["POST"])(build)


def new() -> ResponseReturnValue:
    """An empty rule, or the ready-made one that `?ready=` names."""
    who = reader()
    if not (wanted := request.args.get("ready", "")):
        return _show(who, Draft(entity=request.args.get("entity", "")), quiet=True)
    ready = next((one for one in ready_rules(who) if one.name == wanted), None)
    if ready is None:
        raise NotFound
    return _show(who, draft_of(who.t(ready.label), in_words(ready.body, who), who), quiet=True)


def ready_rules(who: Reader) -> list[ReadyRule]:
    """The ready-made rules about records that the reader may see."""
    found = who.crm.plugins.declared(ReadyRule)
    return [one for one in found if who.may("view", str(one.body.get("entity")))]


def in_words(value: Any, who: Reader) -> Any:
    """A ready-made body with its texts in the reader's language."""
    if isinstance(value, Msg):
        return who.t(value.text)
    if isinstance(value, Mapping):
        return {key: in_words(inner, who) for key, inner in value.items()}
    return [in_words(inner, who) for inner in value] if isinstance(value, list) else value


def one(rule_id: int) -> ResponseReturnValue:
    """A rule in the builder; `?version=` shows it as it once stood."""
    who = reader()
    rule = who.crm.automation.rule(who.ctx, rule_id)
    name, body = rule.name, rule.body
    if wanted := request.args.get("version", ""):
        found = [one for one in who.crm.automation.versions(who.ctx, rule_id) if str(one.version) == wanted]
        if not found:
            raise NotFound
        name, body = found[0].name, found[0].body
    return _show(who, draft_of(name, body, who), rule, quiet=rule.definition is not None)


def build_new() -> ResponseReturnValue:
    """Change, try or keep a new rule."""
    return _build(None)


def build(rule_id: int) -> ResponseReturnValue:
    """Change, try or keep a rule that is there."""
    who = reader()
    return _build(who.crm.automation.rule(who.ctx, rule_id))


def _build(rule: Rule | None) -> ResponseReturnValue:
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    draft, command = from_form(raw), raw.text("do")
    if again(raw) or command not in (*KEEP, *TRY):
        return _show(who, edited(draft, command, raw), rule, raw=raw, quiet=True)
    meaning = mean(draft, who)
    if meaning.problems:
        return _show(who, draft, rule, raw=raw, meaning=meaning, status=422)
    if command in TRY:
        result = trying.tried(command, draft, meaning.body, raw, who)
        return _show(who, draft, rule, raw=raw, meaning=meaning, result=result)
    try:
        kept = _keep(rule, draft, meaning, raw, on=command == "on")
    except GigaError as error:
        meaning.note("", reason_of(error, who))
        return _show(who, draft, rule, raw=raw, meaning=meaning, status=error.status)
    current_crm().refresh()
    note(who.t(msg("The rule is saved and switched on.") if kept.active else msg("The rule is saved.")))
    return _go(HOME if command == "on" else f"{HOME}/{kept.id}")


def _keep(rule: Rule | None, draft: Draft, meaning: Meaning, raw: Raw, *, on: bool) -> Rule:
    service = current_crm().automation
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "page"
        if rule is None:
            kept = service.create(ctx, draft.name, meaning.body)
        else:
            version = int(raw.text("version")) if raw.text("version").isdigit() else rule.version
            kept = service.update(ctx, rule.id, name=draft.name, body=meaning.body, version=version)
        return service.switch(ctx, kept.id, active=True) if on else kept


def words() -> ResponseReturnValue:
    """The rule in a sentence, what is still open, and the faults beside the parts that were filled in."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    draft = from_form(raw)
    meaning = mean(draft, who)
    board = Board(draft, meaning, who, touched(meaning.problems, raw))
    shown = {part: board.problems.get(part, "") for part in board.slots()}
    told = Teller(who, draft.entity).rule(meaning.body)
    return answer("automations/words.html", open=open_points(meaning), slots=shown, told=told)


def open_points(meaning: Meaning) -> list[tuple[str, str]]:
    """What is still to be done, with the part where."""
    return list(meaning.problems.items())


def touched(problems: Mapping[str, str], raw: Raw) -> dict[str, str]:
    """The faults of parts in which something was filled in: what is still empty is no fault yet."""
    return {
        part: text
        for part, text in problems.items()
        if part in ("", "w")
        or any(
            name in (part, f"{part}.a") or (".p." in part and name.startswith(f"{part}.") and not name.endswith(".f"))
            for name, texts in raw.items()
            if any(texts)
        )
    }


def _show(
    who: Reader,
    draft: Draft,
    rule: Rule | None = None,
    *,
    raw: Raw | None = None,
    meaning: Meaning | None = None,
    quiet: bool = False,
    result: Any = None,
    status: int = 200,
) -> Response:
    """The builder. A quiet one tells the faults of what was filled in only."""
    found = meaning or mean(draft, who)
    shown = touched(found.problems, raw or Raw()) if quiet else found.problems
    return answer(
        "automations/form.html" if is_partial() else "automations/builder.html",
        status,
        title=rule.name if rule else who.t(msg("New automation")),
        path=f"{HOME}/{rule.id}" if rule else NEW,
        version=raw.text("version") if raw and raw.text("version") else rule.version if rule else "",
        active=rule is not None and rule.active,
        rule_id=rule.id if rule else 0,
        unavailable=[who.t(fault.message) for fault in rule.problem] if rule else [],
        may_edit=access.may(who.ctx, "create", TOOL),
        open=open_points(found),
        result=result,
        trial=trying.picker(draft, raw or Raw(), who),
        **Board(draft, found, who, shown, judged=not quiet).values(),
    )


def _go(target: str) -> Response:
    if is_partial():
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target, 303)  # type: ignore[return-value]  # redirect() answers with werkzeug's base class
