"""The builder as the template draws it: the sentence's parts with their inputs, faults beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gigacore import access
from gigacore.automation import Action, Trigger
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.pages import builder
from host_app.pages.automations.draft import BRANCH, WAIT, Draft, StepDraft, Steps, root_of
from host_app.pages.automations.meaning import Meaning, entity_of, params_of, scope_of
from host_app.pages.automations.params import ParamView, entity_choices
from host_app.pages.automations.values import units
from host_app.pages.automations.words import Teller
from host_app.pages.filter_tree import Group
from host_app.pages.forms import Option
from host_app.pages.reader import Reader

ICONS: Final = {WAIT: "hourglass", BRANCH: "git-branch"}
HELP: Final = {
    WAIT: msg("What comes after goes on then, with the record as it stands by that time."),
    BRANCH: msg("Goes one way or the other, by what holds at that moment."),
}


@dataclass(frozen=True, slots=True)
class ListView:
    """Steps in their order, and what can be added after them."""

    at: str
    steps: tuple[StepView, ...]
    kinds: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """One step: its heading, what it does in words, its inputs."""

    at: str
    kind: str
    icon: str
    label: str
    told: str
    first: bool
    last: bool
    params: tuple[ParamView, ...] = ()
    amount: str = ""
    units: tuple[Option, ...] = ()
    kept: str = ""
    when: Any = None
    then: ListView | None = None
    other: ListView | None = None
    problem: str = ""
    help: str = ""


@dataclass(slots=True)
class Board:
    """Draws one draft for one reader."""

    draft: Draft
    meaning: Meaning
    who: Reader
    problems: Mapping[str, str]
    judged: bool = False

    def values(self) -> dict[str, Any]:
        """What the template takes."""
        draft, who = self.draft, self.who
        kit, spec = who.crm.automation.kit, entity_of(draft, who)
        trigger = kit.triggers.get(draft.trigger)
        params = params_of(trigger, spec, who)
        teller = Teller(who, draft.entity)
        offered = [one for one in kit.triggers.values() if self._fits(one) and (one.for_entity or spec is None)]
        return {
            "name": draft.name,
            "entities": [Option(key, label, key == draft.entity) for key, label in entity_choices(who, "view")],
            "triggers": [Option(one.name, who.t(one.label), one.name == draft.trigger) for one in offered],
            "missing": who.t(msg("The trigger {name} is not available.", name=draft.trigger))
            if draft.trigger and trigger is None
            else "",
            "trigger_help": who.t(trigger.help) if trigger and trigger.help else "",
            "params": params.views(draft.raw, "tr.", self._faults("tr.")) if params else (),
            "when": self._tree(draft.when, "w"),
            "steps": self._list(draft.steps, "s", teller, self.meaning.body.get("steps") or []),
            "told": teller.rule(self.meaning.body),
            "problems": dict(self.problems),
            "loose": self._loose(),
        }

    def slots(self) -> list[str]:
        """The parts beside which the form has room for a fault."""
        shown = self.values()
        found = ["name", "entity", "trigger", "steps", *(["w"] if shown["when"] else [])]
        return found + [one.name for one in shown["params"]] + list(_slots_of(shown["steps"]))

    def _faults(self, start: str) -> dict[str, str]:
        found = self.problems
        return {part.removeprefix(start): text for part, text in found.items() if part.startswith(start)}

    def _loose(self) -> list[str]:
        """Faults of the whole, which belong to no part that is shown."""
        shown = ("name", "entity", "trigger", "steps", "w")
        known = [part for part in self.problems if part in shown or part.startswith(("tr.", "s.", "cs-"))]
        return [text for part, text in self.problems.items() if part not in known]

    def _tree(self, group: Group, root: str) -> Any:
        spec = entity_of(self.draft, self.who)
        shown = self.meaning.trees.get(root, group) if self.judged else group
        return builder.drawn(shown, root, spec, scope_of(self.draft, self.who)) if spec is not None else None

    def _list(self, steps: Steps, at: str, teller: Teller, bodies: Any) -> ListView:
        shown = tuple(
            self._step(step, f"{at}.{number}", number, len(steps), teller, bodies[number])
            for number, step in enumerate(steps)
        )
        return ListView(at, shown, tuple(self._kinds()))

    def _kinds(self) -> list[Option]:
        who, spec = self.who, entity_of(self.draft, self.who)
        found = [
            Option(one.name, who.t(one.label))
            for one in who.crm.automation.kit.actions.values()
            if (spec is not None or not one.needs_record) and self._fits(one)
        ]
        found.append(Option(WAIT, who.t(msg("Wait"))))
        return [*found, *([Option(BRANCH, who.t(msg("Branch")))] if spec is not None else [])]

    def _fits(self, part: Trigger | Action) -> bool:
        """Whether the reader may write such a rule with it."""
        allowed = not part.right or access.permits(self.who.ctx, part.right)
        return allowed and (not part.entities or self.draft.entity in part.entities)

    def _step(self, step: StepDraft, at: str, number: int, count: int, teller: Teller, body: Any) -> StepView:
        who = self.who
        action = who.crm.automation.kit.actions.get(step.kind)
        words = {WAIT: msg("Wait"), BRANCH: msg("Branch")}
        label = action.label if action else words.get(step.kind, msg("Not available"))
        problem = self.problems.get(at, "")
        more: dict[str, Any] = {}
        if step.kind == WAIT:
            more = {"amount": step.raw.text("a"), "units": units(step.raw.text("u"), who), "kept": step.raw.text("x")}
        elif step.kind == BRANCH:
            more = {
                "when": self._tree(step.when, root_of(at)),
                "then": self._list(step.then, f"{at}.t", teller, body["then"]),
                "other": self._list(step.other, f"{at}.e", teller, body["else"]),
            }
        elif params := params_of(action, entity_of(self.draft, who), who):
            more = {"params": params.views(step.raw, f"{at}.p.", self._faults(f"{at}.p."))}
        icon = action.icon if action else ICONS.get(step.kind, "alert-triangle")
        told, help = teller.step(body), action.help if action else HELP.get(step.kind)
        return StepView(
            at, step.kind, icon, who.t(label), told[:1].upper() + told[1:], number == 0, number == count - 1,
            problem=problem, help=who.t(help) if help else "", **more,
        )  # fmt: skip


def _slots_of(found: ListView) -> Iterator[str]:
    for step in found.steps:
        yield step.at
        yield from (one.name for one in step.params)
        if step.then is not None and step.other is not None:
            yield root_of(step.at)
            yield from _slots_of(step.then)
            yield from _slots_of(step.other)
