"""What a draft means: the rule's body and the faults beside its parts, and the draft that shows a body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from gigacore.automation.declare import Action, Trigger
from gigacore.entity import BadValue, EntitySpec
from gigacore.errors import FieldError, GigaError, Invalid
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.pages import builder, filter_tree
from host_app.pages.answers import reason_of
from host_app.pages.automations.draft import BRANCH, WAIT, Draft, StepDraft, Steps, places, root_of
from host_app.pages.automations.params import Params
from host_app.pages.automations.values import duration_of, split_duration
from host_app.pages.filter_rows import Scope
from host_app.pages.filter_tree import Group
from host_app.pages.raw import Raw
from host_app.pages.reader import Reader


@dataclass(slots=True)
class Meaning:
    """A draft's body, its faults by part, and the condition trees with the faults beside their rows, by root.

    Parts are `name`, `entity`, `trigger`, `tr.field`, `w`, `s.0`, `s.0.p.text`; faults of the whole have no name.
    """

    body: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Group] = field(default_factory=dict)

    def note(self, part: str, text: str) -> None:
        """Keep a fault; the first of a part is told."""
        self.problems.setdefault(part, text)


def entity_of(draft: Draft, who: Reader) -> EntitySpec | None:
    """The kind of record that the draft is about, if the reader may see any."""
    found = who.registry.entities.get(draft.entity)
    return found if found is not None and who.may("view", found.name) else None


def scope_of(draft: Draft, who: Reader) -> Scope:
    """What its conditions may be about; what was changed is known where an event starts the rule."""
    trigger = who.crm.automation.kit.triggers.get(draft.trigger)
    return Scope(who, events=trigger is not None and trigger.clock is None)


def params_of(part: Trigger | Action | None, spec: EntitySpec | None, who: Reader) -> Params | None:
    """The parameters of a trigger or an action."""
    return Params(part, spec, who) if part is not None else None


def mean(draft: Draft, who: Reader) -> Meaning:
    """Work out what a draft says and judge it as the service would."""
    found, spec, scope = Meaning(), entity_of(draft, who), scope_of(draft, who)
    kit = who.crm.automation.kit
    trigger: dict[str, Any] = {"kind": draft.trigger}
    if params := params_of(kit.triggers.get(draft.trigger), spec, who):
        given, faults = params.body(draft.raw)
        trigger |= given
        for name, text in faults.items():
            found.note(f"tr.{name}", text)
    maker = _Maker(who, spec, scope, found)
    when = maker.condition(draft.when, "w")
    steps = maker.steps(draft.steps, "s")
    found.body = {"entity": draft.entity or None, "trigger": trigger, "when": when, "steps": steps}
    if draft.trigger and draft.steps:
        _judge(draft, found, who)
    elif not draft.trigger:
        found.note("trigger", who.t(msg("Choose what starts the rule.")))
    else:
        found.note("steps", who.t(msg("Add at least one step.")))
    return found


@dataclass(slots=True)
class _Maker:
    who: Reader
    spec: EntitySpec | None
    scope: Scope
    found: Meaning

    def condition(self, group: Group, root: str) -> Any:
        if self.spec is None or not group.items:
            return None
        checked, tree, general = builder.judged(group, self.spec, self.scope)
        self.found.trees[root] = checked
        if tree is None:
            self.found.note(root, general or self.who.t(msg("Some conditions are not complete.")))
        return tree

    def steps(self, steps: Steps, at: str) -> list[dict[str, Any]]:
        return [self._step(step, f"{at}.{number}") for number, step in enumerate(steps)]

    def _step(self, step: StepDraft, at: str) -> dict[str, Any]:
        if step.kind == BRANCH:
            tree = self.condition(step.when, root_of(at))
            if tree is None:
                self.found.note(at, self.who.t(msg("Add a condition.")))
            then, other = self.steps(step.then, f"{at}.t"), self.steps(step.other, f"{at}.e")
            return {"if": tree or {"all": []}, "then": then, "else": other}
        if step.kind == WAIT:
            return {"wait": self._duration(step.raw, at)}
        params = params_of(self.who.crm.automation.kit.actions.get(step.kind), self.spec, self.who)
        if params is None:
            return {"do": step.kind, "with": {}}
        given, faults = params.body(step.raw)
        for name, text in faults.items():
            self.found.note(f"{at}.p.{name}", text)
        return {"do": step.kind, "with": given}

    def _duration(self, raw: Raw, at: str) -> str:
        if kept := raw.text("x"):
            return kept
        try:
            return duration_of(raw.text("a"), raw.text("u"))
        except BadValue as error:
            self.found.note(at, self.who.t(error.message))
            return "P1D"


def _judge(draft: Draft, found: Meaning, who: Reader) -> None:
    try:
        who.crm.automation.check(who.ctx, draft.name, found.body)
    except Invalid as error:
        for fault in error.errors or [FieldError("", error.message)]:
            found.note(_part(fault.path, draft), who.t(fault.message))
    except GigaError as error:
        found.note("", reason_of(error, who))


def _part(path: str, draft: Draft) -> str:
    """The part of the form that a path of the body names."""
    if path.startswith("trigger."):
        name = path.removeprefix("trigger.")
        return "trigger" if name == "kind" else f"tr.{name}"
    if path.startswith("when"):
        return "w"
    best, part = "", path
    for at, there, _step in places(draft.steps):
        if (path == there or path.startswith(f"{there}.")) and len(there) > len(best):
            rest = path.removeprefix(there).removeprefix(".")
            best, part = there, f"{at}.p.{rest.removeprefix('with.')}" if rest.startswith("with.") else at
    return part


# From a body ---------------------------------------------------------------------------------------------------------


def draft_of(name: str, body: Mapping[str, Any], who: Reader) -> Draft:
    """The draft that shows a rule's body."""
    given = body.get("trigger") or {}
    draft = Draft(name, str(body.get("entity") or ""), str(given.get("kind") or ""))
    spec, scope, kit = entity_of(draft, who), scope_of(draft, who), who.crm.automation.kit
    params = params_of(kit.triggers.get(draft.trigger), spec, who)
    raw = params.raw({key: value for key, value in given.items() if key != "kind"}) if params else Raw()
    reading = _Reading(who, spec, scope)
    return replace(draft, raw=raw, when=reading.tree(body.get("when")), steps=reading.steps(body.get("steps") or []))


@dataclass(slots=True)
class _Reading:
    who: Reader
    spec: EntitySpec | None
    scope: Scope

    def tree(self, tree: Any) -> Group:
        return filter_tree.from_json(tree or None, self.spec, self.scope) if self.spec is not None else Group()

    def steps(self, given: Any) -> Steps:
        return tuple(self._step(step) for step in given)

    def _step(self, step: Mapping[str, Any]) -> StepDraft:
        if "wait" in step:
            return StepDraft(WAIT, split_duration(step["wait"]) or Raw({"x": [str(step["wait"])]}))
        if "if" in step:
            then, other = self.steps(step.get("then") or ()), self.steps(step.get("else") or ())
            return StepDraft(BRANCH, Raw(), self.tree(step["if"]), then, other)
        params = params_of(self.who.crm.automation.kit.actions.get(step["do"]), self.spec, self.who)
        return StepDraft(step["do"], params.raw(step.get("with") or {}) if params else Raw())
