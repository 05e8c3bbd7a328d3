"""What stands in an empty form: defaults of the fields, the reader as owner, and what the address says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import request

from gigacore.entity import BadValue, EntitySpec, FieldSpec
from gigacore.records import labels_of
from host_app.pages.dates import date_text, moment_text, typed_date, typed_moment
from host_app.pages.raw import Raw, raw_of
from host_app.pages.reader import Reader

TITLE: Final = "_title"
NAMES: Final = ("last_name", "name")


def preset(spec: EntitySpec, fields: Sequence[FieldSpec], who: Reader) -> Raw:
    """The texts of an empty form."""
    raw = Raw()
    names = {field.name for field in fields}
    for field in fields:
        value = field.default_value()
        if value is not None and field.kind not in ("money", "ref"):
            raw.update(raw_of(field, field.name, getattr(value, "value", value), who.formats))
        if text := request.args.get(field.name, ""):
            raw.update(_from_address(field, text, who))
    if "owner_id" in names and not raw.text("owner_id"):
        me = {"id": who.actor.user_id, "label": who.actor.name}
        raw.update(raw_of(spec.fields["owner_id"], "owner_id", me, who.formats))
    raw.update(_named(spec, names, request.args.get(TITLE, "").strip()[:200]))
    return raw


def _named(spec: EntitySpec, names: set[str], text: str) -> dict[str, list[str]]:
    """What somebody searched for in vain as the name of the new record; a person's splits at the last space."""
    if not text:
        return {}
    if {"first_name", "last_name"} <= names:
        first, _, last = text.rpartition(" ")
        return {"first_name": [first], "last_name": [last]}
    target = next((name for name in (spec.title, *NAMES) if name in names), None)
    return {target: [text]} if target else {}


def _from_address(field: FieldSpec, text: str, who: Reader) -> dict[str, list[str]]:
    if field.kind in ("date", "datetime"):
        return {field.name: [_local(field, text, who)]}
    if field.kind != "ref" or not text.isdigit() or field.target is None:
        return {field.name: [text]}
    label = labels_of(who.ctx.session, field.target, [int(text)]).get(int(text))
    return raw_of(field, field.name, {"id": int(text), "label": label}, who.formats) if label else {}


def _local(field: FieldSpec, text: str, who: Reader) -> str:
    """A day or moment of an address, as the reader would type it."""
    try:
        if field.kind == "date":
            return date_text(typed_date(text, who.formats), who.formats)
        return moment_text(typed_moment(text, who.formats), who.formats)
    except BadValue:
        return text
