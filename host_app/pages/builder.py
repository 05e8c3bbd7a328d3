"""The filter builder: every filter of the language as rows to fill in, with groups, relations and relative dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import BadValue, EntitySpec, FieldSpec
from gigacore.errors import GigaError, Invalid
from gigacore.filter import parse
from gigacore.messages import Msg, msg
from gigacore.records import ListRequest, labels_of
from gigacore.records.limits import reader_of
from gigacore.values import dataclass
from host_app.api.policies import entity_at, on_entity
from host_app.pages import filters, listing
from host_app.pages.addresses import list_url
from host_app.pages.cells import choices_of, kind_label
from host_app.pages.columns import label_of
from host_app.pages.currencies import currency_codes
from host_app.pages.filter_rows import MOST_STEPS, Rows, Scope
from host_app.pages.filter_tree import (
    Group,
    Leaf,
    Node,
    edited,
    from_form,
    from_json,
    leaves,
    to_json,
    with_problems,
    wrapped,
)
from host_app.pages.filter_values import COUNTED, MOMENTS, ORDERED, UNITS, ops_of, people_of
from host_app.pages.forms import Input, Option
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.list_frame import counted
from host_app.pages.listing import Listing
from host_app.pages.raw import raw_from
from host_app.pages.reader import Reader, reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/builder"
MODES: Final = {
    "all": msg("All of these hold"), "any": msg("At least one of these holds"), "none": msg("None of these holds"),
    "notall": msg("Not all of these hold"),
}  # fmt: skip
QUANTIFIERS: Final = {"some": msg("There are some"), "none": msg("There are none")}
PART_LABELS: Final = {"kind": msg("its meaning"), "currency": msg("its currency")}
COMPARABLE: Final = frozenset({"date", "integer", "text"})


@dataclass(frozen=True, slots=True)
class LeafView:
    """A condition as the template draws it. `shape` tells which inputs its value has."""

    at: str
    fields: tuple[tuple[Option, ...], ...]
    ops: tuple[Option, ...]
    shape: str
    label: str
    texts: tuple[str, ...]
    options: tuple[Option, ...] = ()
    words: tuple[Option, ...] = ()
    units: tuple[Option, ...] = ()
    amount: str = ""
    currencies: tuple[Option, ...] = ()
    others: tuple[Option, ...] = ()
    picker: Input | None = None
    json: str = ""
    problem: str = ""
    is_leaf: bool = True


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as the template draws it; about related records where `relations` has options."""

    at: str
    modes: tuple[Option, ...]
    items: tuple[LeafView | GroupView, ...]
    relations: tuple[Option, ...] = ()
    quantifiers: tuple[Option, ...] = ()
    may_relate: bool = False
    is_leaf: bool = False


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, RULE, policy=on_entity("view"))(show)
    route(app, RULE, policy=on_entity("view"), methods=["POST"])(build)


def show(plugin: str, plural: str) -> ResponseReturnValue:
    """The filter of the address as a tree."""
    spec, who = entity_at(plugin, plural), reader()
    state = listing.read(spec, request.args)
    scope = Scope(who)
    root = from_json(state.filter.tree(), spec, scope)
    if not root.items:
        return _draw(state, edited(root, "add:0"), scope)
    checked, tree, general = judged(root, spec, scope)
    return _draw(state, checked, scope, tree, general)


def build(plugin: str, plural: str) -> ResponseReturnValue:
    """Change the tree, or lead to the list that it filters; what is at fault is told beside its row."""
    spec, who = entity_at(plugin, plural), reader()
    raw = raw_from(request.form.to_dict(flat=False))
    state, scope = listing.read(spec, request.form, plain=False), Scope(who)
    root, command = from_form(raw), raw.text("do")
    if command != "apply":
        return _draw(state, edited(root, command), scope)
    checked, tree, general = judged(root, spec, scope)
    if tree is None or general:
        return _draw(state, checked, scope, None, general, status=422)
    chosen = filters.from_tree(tree if root.items else None)
    return _go(state.at(filter=chosen).url)


def judged(root: Group, spec: EntitySpec, scope: Scope) -> tuple[Group, Any, str]:
    """The tree with the faults beside its conditions, its filter if there are none, and a fault of the whole."""
    problems: dict[int, str] = {}
    for leaf, rows, around in leaves(root, spec, scope):
        fault = _fault(leaf, rows, around, spec, scope)
        if fault is not None:
            problems[id(leaf)] = scope.reader.t(fault)
    found = with_problems(root, problems)
    assert isinstance(found, Group)
    if problems:
        return found, None, ""
    try:
        tree = to_json(root, spec, scope)
        _parse(tree, spec, scope)
    except BadValue as error:
        return found, None, scope.reader.t(error.message)
    except Invalid as error:
        return found, None, " ".join(scope.reader.t(one.message) for one in error.errors)
    return found, tree, ""


def _fault(leaf: Leaf, rows: Rows, around: Iterable[str], spec: EntitySpec, scope: Scope) -> Msg | None:
    try:
        _parse(wrapped(to_json(leaf, rows, scope), around), spec, scope)
    except BadValue as error:
        return error.message
    except Invalid as error:
        return error.errors[0].message if error.errors else error.message
    return None


def _parse(tree: Any, spec: EntitySpec, scope: Scope) -> None:
    who = scope.reader
    parse(tree, spec, who.registry, readable=reader_of(who.ctx.session), events=scope.events)


def _draw(
    state: Listing, root: Group, scope: Scope, tree: Any = None, general: str = "", *, status: int = 200
) -> Response:
    """The builder; beside a filter that is right stands how many records it finds."""
    who, spec = scope.reader, state.spec
    return answer(
        "parts/builder.html" if is_partial() else "builder_page.html",
        status,
        title=who.t(msg("Filter: {things}", things=who.t(spec.label_plural))),
        list_label=who.t(spec.label_plural),
        path=list_url(spec),
        back=state.url,
        kept=state.kept("filter"),
        root=drawn(root, "0", spec, scope),
        count=_count(tree, state, who) if tree is not None else "",
        problem=general,
    )


def _count(tree: Any, state: Listing, who: Reader) -> str:
    """How many records the filter finds."""
    wanted = ListRequest(tree, fields=("id",), limit=1, search=state.q)
    try:
        found = records.page(who.ctx, state.spec.name, wanted)
    except GigaError:
        return ""
    return who.t(msg("{count} found", count=counted(found.count, who))) if found.count else ""


def drawn(node: Node, at: str, rows: Rows, scope: Scope) -> LeafView | GroupView:
    """A node of the tree as the template draws it; `at` begins the names of its inputs."""
    if isinstance(node, Leaf):
        return _leaf_view(node, at, rows, scope)
    who = scope.reader
    below = scope.related(rows, node.relation) if node.relation else rows
    items = node.items if below is not None else ()
    relations = [("", who.t(msg("Choose what is related"))), *scope.relations(rows)] if node.relation else []
    return GroupView(
        at,
        _options(MODES, node.mode, who),
        tuple(drawn(item, f"{at}.{place}", below or rows, scope) for place, item in enumerate(items)),
        tuple(Option(name, label, name == node.relation) for name, label in relations),
        _options(QUANTIFIERS, node.quantifier, who) if relations else (),
        may_relate=isinstance(below, EntitySpec),
    )


def _options(words: Any, chosen: str, who: Reader) -> tuple[Option, ...]:
    return tuple(Option(key, who.t(text), key == chosen) for key, text in words.items())


def _leaf_view(leaf: Leaf, at: str, rows: Rows, scope: Scope) -> LeafView:
    who = scope.reader
    spec, part = scope.resolve(leaf.steps, rows)
    if leaf.text or (spec is None and not _may_choose(leaf, rows, scope)):
        return LeafView(at, (), (), "json", who.t(msg("Condition")), (), json=leaf.text, problem=leaf.problem)
    fields = _field_selects(leaf.steps, rows, scope)
    if spec is None:
        return LeafView(at, fields, (), "none", "", (), problem=leaf.problem)
    known = (*ops_of(spec, part), *(filters.CHANGES if scope.events and not part else ()))
    op = leaf.op if leaf.op in known else known[0]
    ops = tuple(Option(one, who.t(filters.word_of(one, spec)), one == op) for one in known)
    shape, made = _value_view(leaf, op, spec, part, rows, scope, at)
    return LeafView(at, fields, ops, shape, label_of(spec, who), **made, problem=leaf.problem)


def _may_choose(leaf: Leaf, rows: Rows, scope: Scope) -> bool:
    return len(leaf.steps) < 2 or scope.resolve(leaf.steps[:1], rows)[0] is not None


def _field_selects(steps: Sequence[str], rows: Rows, scope: Scope) -> tuple[tuple[Option, ...], ...]:
    """One choice per step: a field, then for a reference a field of the record that it names, or a part."""
    who = scope.reader
    made = []
    here: Rows | None = rows
    for place in range(MOST_STEPS + 1):
        step = steps[place] if place < len(steps) else ""
        options = [Option(one.name, label_of(one, who), one.name == step) for one in scope.fields(here)] if here else []
        spec = scope.resolve(steps[:place], rows)[0] if place else None
        if spec is not None:
            parts = [Option(part, who.t(PART_LABELS[part]), part == step) for part in scope.parts(spec)]
            options = [Option("", who.t(msg("itself")), not step), *options, *parts]
        else:
            options = [Option("", who.t(msg("Choose a field")), not step), *options]
        if len(options) > 1:
            made.append(tuple(options))
        found = scope.resolve(steps[: place + 1], rows)[0] if step else None
        if found is None or place + 1 == MOST_STEPS + 1 or step in ("kind", "currency"):
            break
        here = scope.target(found) if place + 1 < MOST_STEPS else None
    return tuple(made)


def _value_view(
    leaf: Leaf, op: str, spec: FieldSpec, part: str, rows: Rows, scope: Scope, at: str
) -> tuple[str, dict[str, Any]]:
    """Which inputs the value has, and what stands in them."""
    who, raw = scope.reader, leaf.raw
    texts = tuple(raw.texts("v"))
    made: dict[str, Any] = {"texts": (*texts, "", "")[:2]}
    family = "choice" if part else filters.family(spec)
    if op in ("empty", "filled", "changed"):
        return "none", made
    if family in COMPARABLE and op in ORDERED:
        made["others"] = _others(spec, raw.text("w"), scope, rows)
    if family in ("choice", "choices"):
        made["options"] = tuple(_choices(spec, part, set(texts), who))
        many = family == "choice" and op not in filters.CHANGES
        return ("checks" if many else "select") if made["options"] else "lines", made
    if family == "boolean":
        made["options"] = (Option("1", who.t(msg("Yes")), "1" in texts), Option("0", who.t(msg("No")), "0" in texts))
        return "select", made
    if family == "ref":
        return "ref", made | _ref_view(spec, texts, raw.text("p"), at, who)
    if family == "date":
        made["words"] = tuple(_date_words(raw.text("p"), op, who))
        made["amount"] = raw.text("a")
        made["units"] = _options(UNITS, raw.text("u") or "D", who) if raw.text("p") in ("ago", "ahead") else ()
        wants = "date" if raw.text("p") == "" else "counted" if raw.text("p") in COUNTED else "word"
        return (
            "dates" if wants == "date" and op == "between" else "lines-date" if _is_list(op, wants) else wants
        ), made
    if spec.kind == "money":
        codes = ["", *currency_codes(who)]
        made["currencies"] = tuple(Option(c, c or who.t(msg("any currency")), c == raw.text("c")) for c in codes)
    return ("lines" if op in ("in", "nin") else "two" if op == "between" else "one"), made


def _is_list(op: str, wants: str) -> bool:
    return wants == "date" and op in ("in", "nin")


def _date_words(chosen: str, op: str, who: Reader) -> Iterable[Option]:
    """A date, a period, or a time before or after now, as far as the operator goes with it."""
    yield Option("", who.t(msg("a date")), not chosen)
    for key, text in filters.PERIODS.items():
        yield Option(key, who.t(text), key == chosen)
    counted_words = COUNTED if op in ORDERED else {key: COUNTED[key] for key in ("last", "next")}
    for key, text in counted_words.items():
        yield Option(key, who.t(text), key == chosen)
    for key, text in MOMENTS.items() if op in ORDERED else ():
        yield Option(key, who.t(text) if key != "today" else who.t(msg("today (as a date)")), key == chosen)


def _choices(spec: FieldSpec, part: str, chosen: set[str], who: Reader) -> Iterable[Option]:
    if part == "currency":
        return [Option(code, code, code in chosen) for code in currency_codes(who)]
    if part == "kind":
        found = who.registry.choice_list(spec)
        kinds = dict.fromkeys(one.kind for one in found.choices if one.kind) if found else {}
        return [Option(kind, kind_label(kind, who), kind in chosen) for kind in kinds]
    return [Option(key, label, key in chosen) for key, label, _colour, _active in choices_of(spec, who)]


def _ref_view(spec: FieldSpec, texts: Sequence[str], word: str, at: str, who: Reader) -> dict[str, Any]:
    numbers = [int(text) for text in texts if text.isdigit()]
    names = labels_of(who.ctx.session, spec.target or "", numbers) if numbers else {}
    target = who.registry.entities.get(spec.target or "")
    url = f"{list_url(target) if target else f'/pick/{spec.target}'}/options"
    picker = Input(f"n.{at}.v", label_of(spec, who), "pick", extra={"url": url, "text": "", "was": ""})
    people = people_of(spec)
    words = [Option("", who.t(msg("from the list")), not word)]
    words += [Option(name, who.t(filters.NAMED[name]), name == word) for name in people]
    return {
        "options": tuple(Option(str(number), names.get(number) or f"#{number}", True) for number in numbers),
        "picker": None if word else picker,
        "words": tuple(words) if people else (),
    }


def _others(spec: FieldSpec, chosen: str, scope: Scope, rows: Rows) -> tuple[Option, ...]:
    """The fields of the record itself with which a field can be compared."""
    if not isinstance(rows, EntitySpec) or spec.kind in ("phone", "longtext"):
        return ()
    who = scope.reader
    found = [one for one in scope.fields(rows) if one.kind == spec.kind and one.name != spec.name]
    if not found:
        return ()
    first = Option("", who.t(msg("or another field:")), not chosen)
    return (first, *(Option(one.name, label_of(one, who), one.name == chosen) for one in found))


def _go(target: str) -> Response:
    if is_partial():
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target, 303)  # type: ignore[return-value]  # redirect() answers with werkzeug's base class
