"""Operations on the selected records of a list: delete, assign, change a field, actions of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from gigacore import records
from gigacore.context import Context
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import Msg, msg
from gigacore.records.actions import DIRECT_BULK
from gigacore.ui import BulkAction
from gigacore.values import dataclass
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import bulk_job, forms, listing, plain_form
from host_app.pages.addresses import is_local, list_url, record_url, with_query
from host_app.pages.columns import label_of
from host_app.pages.currencies import currency_codes
from host_app.pages.form import Task, read_typed
from host_app.pages.forms import Filling
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.parts import may_see
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/bulk"
MOST: Final = 200
MOST_WHOLE: Final = 20_000
PLUGIN: Final = "plugin:"
MERGE: Final = "merge"
TITLES: Final = {"assign": msg("Assign"), "add": msg("Tag")}
UNFIT: Final = frozenset({"file", "json", "uuid"})


@dataclass(frozen=True, slots=True)
class Offer:
    """A button of the selection bar."""

    name: str
    label: str
    icon: str
    danger: bool = False


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, RULE, policy=on_entity("bulk"), methods=["POST"])(run)


def offered_actions(spec: EntitySpec, who: Reader) -> list[Offer]:
    """What the reader may do with several records at once."""
    if not who.may("bulk", spec.name):
        return []
    offers = []
    if spec.owned and who.may("assign", spec.name):
        offers.append(Offer("assign", who.t(msg("Assign")), "user-check"))
    if who.may("edit", spec.name) and tag_field(spec, who) is not None:
        offers.append(Offer("add", who.t(msg("Tag")), "tag"))
    if who.may("edit", spec.name):
        offers.append(Offer("change", who.t(msg("Change a field")), "edit"))
    if who.may("edit", spec.name) and who.may("delete", spec.name):
        offers.append(Offer(MERGE, who.t(msg("Merge two")), "arrows-join"))
    for action in bulk_actions(spec, who):
        offers.append(Offer(f"{PLUGIN}{action.name}", who.t(action.label), action.icon or "bolt", action.danger))
    if who.may("delete", spec.name):
        offers.append(Offer("delete", who.t(msg("Delete")), "trash", danger=True))
    return offers


def bulk_actions(spec: EntitySpec, who: Reader) -> list[BulkAction]:
    """The actions of plugins on several records of an entity that the reader may run."""
    found = [
        one
        for one in who.crm.plugins.declared(BulkAction)
        if one.entity == spec.name and may_see(one.policy, who, one.name)
    ]
    return sorted(found, key=lambda action: action.order)


def run(plugin: str, plural: str) -> ResponseReturnValue:
    """Ask what is missing, then do it to each of the records; a note tells how many."""
    spec, who = entity_at(plugin, plural), reader()
    raw = raw_from(request.form.to_dict(flat=False))
    back = raw.text("back") if is_local(raw.text("back")) else list_url(spec)
    name = raw.text("action")
    if name not in {offer.name for offer in offered_actions(spec, who)}:
        raise Invalid.of("action", msg("Choose what to do."))
    if not raw.texts("id") and not raw.text("whole"):
        note(who.t(msg("Select at least one record.")), kind="error")
        return redirect(back, 303)
    if name == MERGE:
        return _merge(spec, raw.texts("id"), back, who)
    if name.startswith(PLUGIN):
        return _run_action(spec, who, raw, name.removeprefix(PLUGIN), back)
    field = _field(name, raw, spec, who)
    if name != "delete" and "_go" not in raw:
        return _ask(spec, who, raw, name, field, back)
    try:
        target = _go(spec, who, raw, name, field, back)
    except Invalid as error:
        problems = {fault.path: who.t(fault.message) for fault in error.errors} or {"": who.t(error.message)}
        return _ask(spec, who, raw, name, field, back, problems)
    return redirect(target, 303)


def _merge(spec: EntitySpec, ids: Sequence[str], back: str, who: Reader) -> ResponseReturnValue:
    """To the page that compares the two."""
    if len(ids) != 2 or not all(text.isdigit() for text in ids):
        note(who.t(msg("Select exactly two records to merge them.")), kind="error")
        return redirect(back, 303)
    return redirect(with_query(f"{record_url(spec, int(ids[0]))}/merge", [("other", ids[1])]), 303)


def _field(name: str, raw: Raw, spec: EntitySpec, who: Reader) -> FieldSpec | None:
    """The field that the operation sets."""
    if name == "assign":
        return spec.fields["owner_id"]
    if name == "add":
        return tag_field(spec, who)
    return changeable(spec, who).get(raw.text("_field")) if name == "change" else None


def tag_field(spec: EntitySpec, who: Reader) -> FieldSpec | None:
    """The field that takes several values, to which the selection bar adds."""
    return next((field for field in who.writable(spec) if field.kind == "choices"), None)


def changeable(spec: EntitySpec, who: Reader) -> Mapping[str, FieldSpec]:
    """The fields that can be set on several records at once."""
    found = [f for f in who.writable(spec) if f.kind not in UNFIT and not f.unique and f.name != "owner_id"]
    return {field.name: field for field in found}


def _ask(
    spec: EntitySpec,
    who: Reader,
    raw: Raw,
    name: str,
    field: FieldSpec | None,
    back: str,
    problems: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    filling = Filling(raw, problems or {}, currencies=currency_codes(who))
    made = forms.make_input(field, field.name, filling, who) if field is not None else None
    options = [(f.name, label_of(f, who)) for f in changeable(spec, who).values()] if field is None else []
    return answer(
        "bulk.html",
        422 if problems else 200,
        title=who.t(TITLES.get(name, msg("Change a field"))),
        about=_about(spec, who, raw),
        action=f"{list_url(spec)}/bulk",
        name=name,
        ids=raw.texts("id"),
        whole=raw.text("whole"),
        back=back,
        chosen=raw.text("_field"),
        options=options,
        inputs=[made] if made is not None else [],
        problem=" ".join((problems or {}).values()),
    )


def _go(spec: EntitySpec, who: Reader, raw: Raw, name: str, field: FieldSpec | None, back: str) -> str:
    """Do it at once, or by a job where there are many; returns where to go then."""
    params: dict[str, Any] = {}
    if field is not None:
        typed = read_typed(Task(spec, [field], who), raw)
        if typed.errors:
            raise Invalid(errors=typed.errors)
        params = {field.name: typed.data.get(field.name)} if "." not in field.name else typed.data
    action = {"delete": "delete", "add": "add"}.get(name, "update")
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "page"
        chosen = _chosen(ctx, spec, raw, back)
        if len(chosen) > DIRECT_BULK:
            return bulk_job.enqueue(ctx, spec, action, chosen, params, back)
        result = records.bulk(ctx, spec.name, action, chosen, params)
    _tell(result, spec, name, who)
    return back


def _run_action(spec: EntitySpec, who: Reader, raw: Raw, name: str, back: str) -> ResponseReturnValue:
    """Run a plugin's action on the chosen records, after a form where it needs to know something."""
    action = next(one for one in bulk_actions(spec, who) if one.name == name)
    problems: dict[str, str] = {}
    if not action.params or "_go" in raw:
        try:
            params = plain_form.typed(action.params, raw, who)
            with current_crm().unit_of_work(current()) as ctx:
                ctx.source = "page"
                chosen = _chosen(ctx, spec, raw, back)
                if len(chosen) > DIRECT_BULK:
                    return redirect(bulk_job.enqueue(ctx, spec, name, chosen, params, back, plugin=True), 303)
                action.run(ctx, chosen, params)
        except Invalid as error:
            problems = plain_form.problems_of(error, who)
        else:
            note(who.t(msg("Done: {action}", action=who.t(action.label))))
            return redirect(back, 303)
    return answer(
        "bulk.html", 422 if problems else 200, title=who.t(action.label), action=f"{list_url(spec)}/bulk",
        about=_about(spec, who, raw), name=f"{PLUGIN}{name}", ids=raw.texts("id"), whole=raw.text("whole"), back=back,
        chosen="", options=[], inputs=plain_form.inputs(action.params, raw, who, problems),
        problem=" ".join(problems.values()),
    )  # fmt: skip


def _about(spec: EntitySpec, who: Reader, raw: Raw) -> str:
    things = who.t(spec.label_plural).lower()
    if raw.text("whole"):
        return who.t(msg("All in this list: {things}", things=things))
    return who.t(msg("{count} selected: {things}", count=len(raw.texts("id")), things=things))


def _chosen(ctx: Context, spec: EntitySpec, raw: Raw, back: str) -> list[int]:
    """The numbers of the chosen records, or of all in the filter."""
    if raw.text("whole"):
        found = records.bulk_ids(ctx, spec.name, ids=None, filter=_tree(spec, back), most=MOST_WHOLE + 1)
        if len(found) > MOST_WHOLE:
            raise Invalid.of("", msg("At most {count} records at a time.", count=MOST_WHOLE))
        return found
    return [int(text) for text in raw.texts("id") if text.isdigit()][:MOST]


def _tree(spec: EntitySpec, back: str) -> Any:
    """The filter of the list from which the operation was started."""
    state = listing.read(spec, MultiDict(parse_qsl(urlsplit(back).query)))
    tree = state.whole({field.name: field for field in reader().readable(spec)})
    return tree if tree is not None else {"all": []}


def _tell(result: records.BulkResult, spec: EntitySpec, name: str, who: Reader) -> None:
    done = (
        msg("{count} deleted.", count=len(result.done))
        if name == "delete"
        else msg("{count} changed.", count=len(result.done))
    )
    texts: list[Msg] = [done]
    if result.failed:
        reason = result.failed[0][1].message
        texts.append(msg("{count} left as they were: {reason}", count=len(result.failed), reason=reason))
    undo = bulk_job.undo_url(spec, result.done) if name == "delete" and result.done else ""
    kind = "error" if result.failed and not result.done else ""
    note(" ".join(who.t(text) for text in texts), kind=kind, undo=undo)
