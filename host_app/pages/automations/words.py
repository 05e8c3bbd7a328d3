"""Rules, steps and what they did as sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from gigacore.access import users
from gigacore.automation import Action, Trigger
from gigacore.entity import EntitySpec
from gigacore.messages import Msg, msg, verbatim
from gigacore.records import labels_of
from gigacore.values import dataclass
from host_app.pages.addresses import record_url
from host_app.pages.automations.params import OWNER
from host_app.pages.automations.values import split_duration
from host_app.pages.columns import label_of
from host_app.pages.filter_rows import Scope
from host_app.pages.filter_words import words_of
from host_app.pages.history import Words
from host_app.pages.reader import Reader

AMOUNTS: Final[Mapping[str, tuple[Msg, Msg]]] = {
    "H": (msg("{n} hour", n=1), msg("{n} hours")), "D": (msg("{n} day", n=1), msg("{n} days")),
    "W": (msg("{n} week", n=1), msg("{n} weeks")), "M": (msg("{n} month", n=1), msg("{n} months")),
    "Y": (msg("{n} year", n=1), msg("{n} years")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """One line of a trace: how deep it stands, whether it held, and what it says."""

    depth: int
    held: bool
    text: str


@dataclass(frozen=True, slots=True)
class Did:
    """What one step did, with a link where it made a record."""

    icon: str
    text: str
    url: str = ""


class Teller:
    """Tells rules about records of one kind to one reader."""

    def __init__(self, who: Reader, entity: object) -> None:
        self.who = who
        self.spec: EntitySpec | None = who.registry.entities.get(entity) if isinstance(entity, str) else None
        self.scope = Scope(who, events=True)
        self.kit = who.crm.automation.kit

    def rule(self, body: Mapping[str, Any]) -> str:
        """The whole rule in one sentence."""
        steps = ", ".join(self.step(step) for step in body.get("steps") or [])
        if not (trigger := body.get("trigger") or {}).get("kind"):
            return self.who.t(msg("Nothing starts it yet."))
        start = self.trigger(trigger)
        when = self.condition(body.get("when"))
        text = msg("{start}, if {when}", start=start, when=when) if when else start
        told = self.who.t(text)
        return self.who.t(msg("{start}: {steps}", start=told, steps=steps)) if steps else told

    def condition(self, tree: Any) -> str:
        """The conditions as a phrase, empty without any."""
        return words_of(tree, self.spec, self.scope) if tree and self.spec is not None else ""

    def trigger(self, given: Mapping[str, Any]) -> str:
        """What starts the rule."""
        who = self.who
        things = who.t(self.spec.label_plural) if self.spec is not None else ""
        found = self.kit.triggers.get(str(given.get("kind")))
        if found is None:
            what = who.t(msg("Something that is not available: {name}", name=str(given.get("kind") or "?")))
        else:
            what = who.t(self._moment(found.name, given) or self._with_values(found, given))
        return who.t(msg("{things}: {what}", things=things, what=what)) if things else what

    def _moment(self, name: str, given: Mapping[str, Any]) -> Msg | None:
        match name:
            case "core.created":
                return msg("when one is created")
            case "core.deleted":
                return msg("when one is deleted")
            case "core.updated":
                fields = self.fields(given.get("fields") or [])
                return msg("when {fields} is changed", fields=fields) if fields else msg("when one is changed")
            case "core.becomes":
                field, value = self.fields([given.get("field")]), self.value(given.get("field"), given.get("value"))
                if value:
                    return msg("when {field} becomes {value}", field=field, value=value)
                return msg("when {field} gets a new value", field=field)
            case "core.action":
                return msg("when “{action}” is run", action=self.action(given.get("action")))
            case "core.date":
                return self._date(given)
            case "core.inactive" if given.get("sign") == "change":
                return msg("after {days} days without a change", days=given.get("days") or "?")
            case "core.inactive":
                return msg("after {days} days without contact", days=given.get("days") or "?")
            case "core.schedule":
                return msg("at fixed times ({cron})", cron=given.get("cron") or "?")
            case "core.hook_received":
                return msg("when the web hook “{source}” is received", source=given.get("source") or "?")
        return None

    def _date(self, given: Mapping[str, Any]) -> Msg:
        field = self.fields([given.get("field")])
        number = given.get("distance") or 0
        if not number:
            return msg("when {field} is reached", field=field)
        span = self.amount(str(number), "H" if given.get("unit") == "hours" else "D")
        if given.get("side") == "after":
            return msg("{span} after {field}", span=span, field=field)
        return msg("{span} before {field}", span=span, field=field)

    def fields(self, names: Iterable[Any]) -> str:
        """The labels of fields."""
        known = self.spec.fields if self.spec is not None else {}
        return ", ".join(label_of(known[name], self.who) if name in known else str(name or "?") for name in names)

    def value(self, field_name: Any, value: Any) -> str:
        """A constant of a field in words."""
        field = self.spec.fields.get(str(field_name)) if self.spec is not None else None
        if field is None or self.spec is None or value in (None, ""):
            return str(value or "")
        if field.kind == "ref":
            found = value.get("id") if isinstance(value, Mapping) else value
            return self.record(field.target or "", found)
        return Words(self.spec, self.who, {}).word(value, field)

    def record(self, target: str, number: Any) -> str:
        """A record's title."""
        found = labels_of(self.who.ctx.session, target, [number]) if isinstance(number, int) else {}
        return found.get(number) or f"#{number}"

    def action(self, name: Any) -> str:
        """The label of a record's action."""
        found = self.who.registry.actions.get(self.spec.name, {}).get(str(name)) if self.spec is not None else None
        return self.who.t(found.label) if found is not None else str(name or "?")

    def amount(self, number: str, unit: str) -> str:
        """A length of time."""
        one, many = AMOUNTS[unit]
        return self.who.t(one if number == "1" else msg(many.text, n=number))

    def span(self, duration: object) -> str:
        """A duration in words."""
        found = split_duration(duration)
        return self.amount(found.text("a"), found.text("u")) if found else str(duration)

    def people(self, given: Any) -> str:
        """Names of people; the record's owner by that word."""
        names = self.who.kept(("people",), lambda: dict(users.names(self.who.ctx, active_only=False)))
        found = given if isinstance(given, list) else [given]
        told = []
        for one in found:
            if one == OWNER or one == {"ref": "record.owner_id"}:
                told.append(self.who.t(msg("the owner of the record")))
            else:
                told.append(names.get(one, f"#{one}") if isinstance(one, int) else str(one))
        return ", ".join(told)

    def step(self, step: Mapping[str, Any]) -> str:
        """One step as a phrase."""
        tell = self.who.t
        if "wait" in step:
            return tell(msg("wait {span}", span=self.span(step["wait"])))
        if "if" in step:
            return self._branch(step)
        found = self.kit.actions.get(str(step.get("do")))
        if found is None:
            return tell(msg("something that is not available: {name}", name=str(step.get("do") or "?")))
        text = self._deed(found.name, step.get("with") or {})
        return tell(text or self._with_values(found, step.get("with") or {}))

    def _with_values(self, part: Trigger | Action, given: Mapping[str, Any]) -> Msg:
        """A trigger or an action that has no phrase of its own: its label, and what was chosen."""
        label = self.who.t(part.label)
        label = label[:1].lower() + label[1:]
        chosen = [
            self.record(spec.target or "", given[spec.name]) if spec.kind == "ref" else str(given[spec.name])
            for spec in part.params
            if given.get(spec.name) not in (None, "", [], {})
        ]
        return msg("{label} ({values})", label=label, values=", ".join(chosen)) if chosen else verbatim(label)

    def _branch(self, step: Mapping[str, Any]) -> str:
        then = ", ".join(self.step(one) for one in step.get("then") or []) or "–"
        other = ", ".join(self.step(one) for one in step.get("else") or [])
        when = self.condition(step["if"]) or "?"
        if other:
            return self.who.t(msg("if {when} ({then}), otherwise ({other})", when=when, then=then, other=other))
        return self.who.t(msg("if {when} ({then})", when=when, then=then))

    def _deed(self, name: str, given: Mapping[str, Any]) -> Msg | None:
        match name:
            case "core.set_fields":
                return msg("set {fields}", fields=self._settings(given.get("values")))
            case "core.assign" if isinstance(given.get("to"), list) and len(given["to"]) > 1:
                return msg("assign in turn to {people}", people=self.people(given["to"]))
            case "core.assign":
                return msg("assign to {people}", people=self.people(given.get("to", "?")))
            case "core.run_action":
                return msg("run “{action}”", action=self.action(given.get("action")))
            case "core.create_record":
                made = self.who.registry.entities.get(str(given.get("entity")))
                return msg("create: {thing}", thing=self.who.t(made.label) if made else "?")
            case "core.call_hook":
                return msg("call the web hook {url}", url=given.get("url") or "?")
            case "core.send_mail":
                return msg("send the mail “{what}”", what=given.get("template") or given.get("subject") or "?")
            case "core.notify" if given.get("to"):
                return msg("notify {people}", people=self.people(given["to"]))
            case "core.notify":
                return msg("notify the owner of the rule")
        return None

    def _settings(self, values: Any) -> str:
        found = values if isinstance(values, Mapping) else {}
        told = []
        for name, value in found.items():
            label = self.fields([name])
            shown = "" if isinstance(value, Mapping) else self.value(name, value)
            told.append(self.who.t(msg("{label} to {value}", label=label, value=shown)) if shown else label)
        return ", ".join(told) or "?"

    # What happened

    def trace(self, trace: Any, depth: int = 0) -> Iterator[Held]:
        """Which conditions held, line by line."""
        if not isinstance(trace, Mapping):
            return
        held = bool(trace.get("is"))
        if "test" in trace:
            yield Held(depth, held, self.condition(trace["test"]))
        elif "not" in trace:
            yield Held(depth, held, self.who.t(msg("Not:")))
            yield from self.trace(trace["not"], depth + 1)
        else:
            word = "any" if "any" in trace else "all"
            parts: Sequence[Any] = trace.get(word) or []
            if not parts and not depth:
                yield Held(0, held, self.who.t(msg("No conditions: every one counts")))
                return
            title = msg("At least one of these holds") if word == "any" else msg("All of these hold")
            yield Held(depth, held, self.who.t(title))
            for part in parts:
                yield from self.trace(part, depth + 1)

    def done(self, steps: Iterable[Mapping[str, Any]]) -> list[Did]:
        """What each step of a run did."""
        return [self._did(step) for step in steps]

    def _did(self, step: Mapping[str, Any]) -> Did:
        tell = self.who.t
        if "wait" in step:
            return Did("hourglass", tell(msg("waited {span}", span=self.span(step["wait"]))))
        if "if" in step:
            held = msg("The conditions of the branch held") if step["if"] else msg("The conditions did not hold")
            return Did("git-branch", tell(held))
        action = self.kit.actions.get(str(step.get("do")))
        label = tell(action.label) if action else str(step.get("do"))
        result = step.get("did") or {}
        more, url = self._result(result)
        text = tell(msg("{things}: {what}", things=label, what=more)) if more else label
        return Did(action.icon if action else "bolt", text, url)

    def _result(self, result: Mapping[str, Any]) -> tuple[str, str]:
        if isinstance(result.get("fields"), list):
            return self.fields(result["fields"]), ""
        if "owner_id" in result:
            return self.people(result["owner_id"]), ""
        if "entity" in result and "id" in result:
            made = self.who.registry.entities.get(str(result["entity"]))
            if made is None:
                return str(result["entity"]), ""
            return f"{self.who.t(made.label)} #{result['id']}", record_url(made, result["id"]) if result["id"] else ""
        if "action" in result:
            return self.action(result["action"]), ""
        if "hook" in result:
            return str(result["to"]), f"/settings/webhooks/{result['hook']}"
        told = result.get("told")
        return str(result.get("to") or (self.people(told) if isinstance(told, list) else "")), ""
