"""Formulas in the settings: their inputs, what they may use, and what one would give for a record."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gigacore import records
from gigacore.customfields import Definition
from gigacore.customfields.definitions import beside
from gigacore.data.formulas import values_of
from gigacore.entity import BadValue, EntitySpec, FieldSpec
from gigacore.errors import GigaError
from gigacore.formula import FUNCTIONS, Formula, compile_formula, usable
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.pages import plain_form
from host_app.pages.cells import drawer
from host_app.pages.columns import label_of, title_of
from host_app.pages.forms import Input
from host_app.pages.raw import Raw
from host_app.pages.reader import Reader

KIND: Final = "formula"
RESULT: Final = FieldSpec(
    "result", "enum", label="Result", default="decimal", help="Only for formulas: what the formula gives.",
    choices=(
        ("decimal", "Decimal"), ("integer", "Whole number"), ("text", "Text"), ("date", "Date"),
        ("boolean", "Checkbox"),
    ),
)  # fmt: skip
FORMULA: Final = FieldSpec(
    "formula", "longtext", label="Formula", help="Only for formulas, such as ROUND(amount * 0.2, 2). Its fields and "
    "functions are listed below."
)  # fmt: skip
RECORD: Final = FieldSpec("try_on", "ref", label="Try it on")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a formula gives for one record, or why it gives nothing."""

    title: str = ""
    value: str = ""
    problem: str = ""


def around(spec: EntitySpec, raw: Raw, present: Definition | None, who: Reader) -> dict[str, object]:
    """What stands under the form: the picker of a record, and what formulas of this entity may use."""
    kept = {name: raw[name] for name in ("try_on", "try_on.text", "try_on.was") if name in raw}
    picker: Input = plain_form.inputs([replace(RECORD, target=spec.name)], Raw(kept), who)[0]
    fields = [f for f in who.readable(spec) if usable(f) and (present is None or f.name != present.key)]
    return {
        "picker": picker,
        "names": sorted(((f.name, label_of(f, who)) for f in fields), key=lambda pair: pair[1].lower()),
        "functions": [who.t(one.help) for one in FUNCTIONS.values()],
        "try_url": f"/settings/fields/{spec.name}/try",
        "key": present.key if present else "",
    }


def tried(spec: EntitySpec, raw: Raw, present: Definition | None, who: Reader) -> Trial:
    """The formula that is typed, worked out for the chosen record or else the newest that the reader sees."""
    kind = present.kind if present else raw.text("result") or "decimal"
    own = FieldSpec(present.key if present else "", kind, "", entity=spec.name)
    text = raw.text("formula").strip()
    if not text:
        return Trial()
    try:
        formula = compile_formula(text, kind, beside(own, spec.fields.values(), who.registry))
        return _worked_out(spec, formula, own, raw, who)
    except BadValue as error:
        return Trial(problem=who.t(error.message))
    except GigaError as error:
        return Trial(problem=who.t(error.message))


def _worked_out(spec: EntitySpec, formula: Formula, own: FieldSpec, raw: Raw, who: Reader) -> Trial:
    readable = {field.name for field in who.readable(spec)}
    if closed := sorted(formula.sources - readable):
        return Trial(problem=who.t(msg("There is no field {name} that a formula may use.", name=closed[0])))
    number = int(raw.text("try_on")) if raw.text("try_on").isdigit() else _newest(spec, who)
    if number is None:
        return Trial(problem=who.t(msg("There is no record yet to try it on.")))
    item = records.get(who.ctx, spec.name, number)
    record = records.load(who.ctx, spec.name, number)
    value = formula.value(values_of(record, spec, formula.sources))
    shown = who.t(msg("no value")) if value is None else drawer(own, who, short=False)(value)
    return Trial(title_of(spec, item), shown)


def _newest(spec: EntitySpec, who: Reader) -> int | None:
    found = records.page(who.ctx, spec.name, records.ListRequest(fields=("id",), sort=("-id",), limit=1, count=False))
    return found.items[0]["id"] if found.items else None
