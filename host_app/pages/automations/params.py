"""The inputs of a trigger's or an action's parameters, and what is typed in them as the rule's body has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from gigacore.access import users
from gigacore.automation.declare import Action, Trigger
from gigacore.entity import BadValue, EntitySpec, FieldSpec
from gigacore.mail import PURPOSES
from gigacore.messages import Msg, msg
from gigacore.text import stored
from gigacore.values import dataclass
from host_app.pages.automations import values
from host_app.pages.automations.values import ValueView, fields_to_set
from host_app.pages.columns import label_of
from host_app.pages.currencies import currency_codes
from host_app.pages.forms import Filling, Input, Option, make_input
from host_app.pages.frame import SETTINGS
from host_app.pages.raw import Raw, raw_of
from host_app.pages.reader import Reader

OWNER: Final = "owner"
EDITORS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("core.set_fields", "values"): "values", ("core.create_record", "values"): "values",
        ("core.create_record", "entity"): "entity", ("core.assign", "to"): "people", ("core.notify", "to"): "told",
        ("core.run_action", "action"): "action", ("core.action", "action"): "action",
        ("core.send_mail", "template"): "template", ("core.send_mail", "language"): "language",
        ("core.updated", "fields"): "fields", ("core.becomes", "field"): "field",
        ("core.becomes", "value"): "value", ("core.date", "field"): "moment",
        ("core.hook_received", "source"): "source",
    }
)  # fmt: skip
CHOSEN: Final = frozenset({"entity", "action", "template", "field", "moment", "language", "source"})
WORDS: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "hours": msg("hours"), "days": msg("days"), "before": msg("before"), "after": msg("after"),
        "contact": msg("no contact"), "change": msg("no change at all"), **PURPOSES,
    }
)  # fmt: skip
HELP: Final[Mapping[tuple[str, str], Msg]] = MappingProxyType(
    {
        ("core.updated", "fields"): msg("Without a choice every change counts."),
        ("core.schedule", "cron"): msg(
            "Minute, hour, day of the month, month, day of the week. “0 8 * * 1” is Mondays at 8, “30 17 * * 1-5” is "
            "working days at 17:30, “0 9 1 * *” is the first of each month at 9."
        ),
        ("core.date", "distance"): msg("0 is the day itself."),
        ("core.run_action", "values"): msg("What the action asks for, as JSON, by the names of its fields."),
        ("core.assign", "to"): msg("Several people take turns."),
        ("core.notify", "to"): msg("Without a choice the owner of the rule is told."),
        ("core.notify", "text"): msg("For instance: Call {{ record.last_name }}"),
        ("core.hook_received", "source"): msg(
            "Texts of steps may hold what the message said: {{ event.body.email }}. Without a source set one up under "
            "Settings, Incoming web hooks."
        ),
        ("core.call_hook", "url"): msg("Begins with https:// and answers within 20 seconds."),
        ("core.call_hook", "data"): msg(
            "Without it the whole record is sent. Otherwise JSON, whose texts may hold values of the record such as "
            "{{ record.last_name }}."
        ),
        ("core.send_mail", "to"): msg("Without an address the mail goes to the record's own."),
        ("core.send_mail", "purpose"): msg("Advertising goes only to people who agreed to it."),
        ("core.send_mail", "text"): msg("Values of the record: {{ record.last_name }}. Your name: {{ actor.name }}."),
    }
)


@dataclass(frozen=True, slots=True)
class ParamView:
    """A parameter as the template draws it: one input, rows of values, or a value of another's kind."""

    name: str
    label: str
    input: Input | None = None
    rows: tuple[tuple[int, ValueView, str], ...] = ()
    value: ValueView | None = None
    is_rows: bool = False
    again: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of one trigger or action of a rule about `entity`."""

    owner: Trigger | Action
    entity: EntitySpec | None
    who: Reader

    def editor(self, spec: FieldSpec) -> str:
        """How a parameter is edited."""
        known = EDITORS.get((self.owner.name, spec.name))
        return known or ("json" if spec.kind == "json" else "plain")

    def target(self, raw: Raw) -> EntitySpec | None:
        """The kind of record whose fields are filled."""
        if self.owner.name == "core.create_record":
            return self.who.registry.entities.get(raw.text("entity"))
        return self.entity

    def fields(self) -> Sequence[FieldSpec]:
        """The declared parameters, and those of the chosen action of a record instead of its values."""
        return self.owner.params

    # From the body

    def raw(self, given: Mapping[str, Any]) -> Raw:
        """The texts of the inputs for parameters of a rule's body."""
        made = Raw()
        for spec in self.fields():
            value = given.get(spec.name, spec.default)
            if value is not None:
                made.update(self._raw(spec, value, given))
        return made

    def _raw(self, spec: FieldSpec, value: Any, given: Mapping[str, Any]) -> Mapping[str, list[str]]:
        match self.editor(spec):
            case "values":
                target = self.who.registry.entities.get(given.get("entity", "")) or self.entity
                return _rows_raw(spec.name, value, target, self.who)
            case "value":
                field = self.entity.fields.get(str(given.get("field"))) if self.entity else None
                inner = values.raw_of_value(value, field, self.who) if field else Raw()
                return {f"{spec.name}.{key}": texts for key, texts in inner.items()}
            case "people" | "told" | "fields":
                found = value if isinstance(value, list) else [value]
                if all(isinstance(one, int | str) for one in found):
                    return {spec.name: [str(one) for one in found]}
                return {f"{spec.name}.json": [orjson.dumps(value).decode()]}
            case "json":
                return {spec.name: [orjson.dumps(value).decode()]}
        if isinstance(value, str) or spec.kind not in ("date", "datetime", "money", "decimal", "ref"):
            return {spec.name: [str(value) if not isinstance(value, bool) else "1" if value else ""]}
        return raw_of(spec, spec.name, value, self.who.formats)

    # To the body

    def body(self, raw: Raw) -> tuple[dict[str, Any], dict[str, str]]:
        """The parameters as the rule's body has them, and the faults by input."""
        made: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for spec in self.fields():
            try:
                value = self._value(spec, raw, problems)
            except BadValue as error:
                problems[spec.name] = self.who.t(error.message)
                continue
            if value not in (None, "", []):
                made[spec.name] = value
        return made, problems

    def _value(self, spec: FieldSpec, raw: Raw, problems: dict[str, str]) -> Any:
        match self.editor(spec):
            case "values":
                return self._values(spec.name, raw, problems)
            case "value":
                field = self.entity.fields.get(raw.text("field")) if self.entity else None
                inner = _part(raw, spec.name)
                empty = not any(inner.text(key) for key in ("v", "r", "a", "j")) and inner.text("m") in ("", "v")
                return None if field is None or empty else values.value_of(inner, field, self.who)
            case "people" | "told":
                if kept := raw.text(f"{spec.name}.json"):
                    return values.loaded(kept)
                found = [int(one) if one.isdigit() else one for one in raw.texts(spec.name) if one]
                return found[0] if len(found) == 1 else found
            case "fields":
                return [one for one in raw.texts(spec.name) if one]
            case "json":
                return values.loaded(raw.text(spec.name)) if raw.text(spec.name).strip() else None
        if self.editor(spec) in CHOSEN or "{{" in raw.text(spec.name):
            return raw.text(spec.name)
        return values.typed_reader(self.who).value(spec, spec.name, raw)

    def _values(self, name: str, raw: Raw, problems: dict[str, str]) -> dict[str, Any]:
        target, made = self.target(raw), {}
        for number in raw.indexes(name):
            row = _part(raw, f"{name}.{number}")
            field = target.fields.get(row.text("f")) if target is not None else None
            try:
                if field is not None:
                    made[field.name] = values.value_of(row, field, self.who)
            except BadValue as error:
                problems[f"{name}.{number}"] = self.who.t(error.message)
        return made

    # For the template

    def views(self, raw: Raw, start: str, problems: Mapping[str, str]) -> tuple[ParamView, ...]:
        """The parameters as the template draws them; `start` begins the names of their inputs."""
        made = (self._view(spec, raw, start, problems) for spec in self.fields())
        return tuple(one for one in made if one is not None)

    def _view(self, spec: FieldSpec, raw: Raw, start: str, problems: Mapping[str, str]) -> ParamView | None:
        who, name, kind = self.who, f"{start}{spec.name}", self.editor(spec)
        label = who.t(spec.label)
        problem = problems.get(spec.name, "")
        if kind == "values":
            return ParamView(name, label, rows=self._rows(spec.name, raw, start, problems), is_rows=True,
                             problem=problem)  # fmt: skip
        if kind == "value":
            field = self.entity.fields.get(raw.text("field")) if self.entity else None
            if field is None:
                return None
            return ParamView(name, label, value=values.view_of(_part(raw, spec.name), name, field, None, who),
                             problem=problem)  # fmt: skip
        if self._is_hidden(spec, raw):
            return None
        made = self._input(spec, raw, name, kind)
        if text := HELP.get((self.owner.name, spec.name)):
            made = replace(made, help=who.t(text.text))
        return ParamView(name, label, made, again=kind in ("entity", "field", "template", "action"), problem=problem)

    def _is_hidden(self, spec: FieldSpec, raw: Raw) -> bool:
        if self.owner.name == "core.send_mail":
            return spec.name in ("subject", "text") if raw.text("template") else spec.name == "language"
        if self.owner.name != "core.run_action" or spec.name != "values" or raw.text("values"):
            return False
        actions = self.who.registry.actions.get(self.entity.name, {}) if self.entity is not None else {}
        chosen = actions.get(raw.text("action"))
        return chosen is None or not chosen.params

    def _input(self, spec: FieldSpec, raw: Raw, name: str, kind: str) -> Input:
        options = self._options(kind, raw.texts(spec.name))
        base = Input(name, self.who.t(spec.label), "text", raw.text(spec.name), required=spec.required)
        if kind in ("people", "told", "fields"):
            return replace(base, shape="many", options=options, wide=True)
        if kind in CHOSEN:
            return replace(base, shape="select", options=options, may_be_empty=kind in ("template", "language"))
        if kind == "json":
            return replace(base, shape="area", wide=True)
        if spec.enum is not None:
            chosen = raw.text(spec.name) or str(spec.default or "")
            found = tuple(
                Option(str(one.value), self.who.t(WORDS.get(str(one.value), str(one.value))), one.value == chosen)
                for one in spec.enum
            )
            return replace(base, shape="select", options=found, may_be_empty=False)
        texts = Raw({f"{name}{key.removeprefix(spec.name)}": found for key, found in raw.items()})
        return make_input(spec, name, Filling(texts, currencies=currency_codes(self.who)), self.who)

    def _options(self, kind: str, chosen: Sequence[str]) -> tuple[Option, ...]:
        return tuple(Option(key, label, key in chosen) for key, label in self._choices(kind, chosen))

    def _choices(self, kind: str, chosen: Sequence[str]) -> Iterable[tuple[str, str]]:
        who, spec = self.who, self.entity
        match kind:
            case "people" | "told":
                if kind == "told" and spec is not None and spec.owned:
                    yield OWNER, who.t(msg("The owner of the record"))
                yield from ((str(number), name) for number, name in users.names(who.ctx))
            case "entity":
                yield from entity_choices(who, "create")
            case "action" if spec is not None:
                found = who.registry.actions.get(spec.name, {})
                yield from ((name, who.t(one.label)) for name, one in found.items())
            case "template":
                found_templates = stored.listing(who.ctx, stored.MAIL.name)
                yield from {one.key: one.name for one in found_templates}.items()
            case "source":
                yield from ((one.key, one.name) for one in who.crm.webhooks.sources(who.ctx))
            case "language":
                yield from (("fr", who.t(msg("French"))), ("en", who.t(msg("English"))))
            case "fields" | "field" | "moment" if spec is not None:
                wanted = ("date", "datetime") if kind == "moment" else ()
                for one in who.readable(spec):
                    if not one.secret and one.name not in ("version", "org_id") and (not wanted or one.kind in wanted):
                        yield one.name, label_of(one, who)

    def _rows(
        self, name: str, raw: Raw, start: str, problems: Mapping[str, str]
    ) -> tuple[tuple[int, ValueView, str], ...]:
        target, who = self.target(raw), self.who
        if target is None:
            return ()
        known = fields_to_set(target, who)
        made = []
        for number in raw.indexes(name) or [0]:
            row = _part(raw, f"{name}.{number}")
            field = target.fields.get(row.text("f"))
            view = values.view_of(row, f"{start}{name}.{number}", field, self.entity, who)
            first = Option("", who.t(msg("Choose a field")), field is None)
            options = (first, *(Option(one.name, label_of(one, who), one is field) for one in known))
            fault = problems.get(f"{name}.{number}", "") or (problems.get(f"{name}.{field.name}", "") if field else "")
            made.append((number, replace(view, fields=options), fault))
        return tuple(made)


def entity_choices(who: Reader, verb: str) -> list[tuple[str, str]]:
    """The kinds of records that rules may be about."""
    return [(spec.name, who.t(spec.label_plural)) for spec in who.entities(verb) if spec.group != SETTINGS]


def _part(raw: Raw, name: str) -> Raw:
    start = f"{name}."
    return Raw({key.removeprefix(start): texts for key, texts in raw.items() if key.startswith(start)})


def _rows_raw(name: str, value: Any, target: EntitySpec | None, who: Reader) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for number, (field_name, inner) in enumerate(value.items() if isinstance(value, Mapping) else ()):
        field = target.fields.get(field_name) if target is not None else None
        row = values.raw_of_value(inner, field, who) if field is not None else Raw()
        made |= {f"{name}.{number}.{key}": texts for key, texts in row.items()}
        made[f"{name}.{number}.f"] = [field_name]
    return made
