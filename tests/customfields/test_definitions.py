"""Administrators define, change and remove fields; what is wrong is refused with its place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from gigacore import Crm, customfields, records
from gigacore.context import Actor
from gigacore.crm import plugin
from gigacore.customfields.validation import new_definition
from gigacore.data import bulk, trash
from gigacore.entity import Registry
from gigacore.errors import Forbidden, Invalid, Misuse, NotFound
from gigacore.filter import parse
from gigacore.ids import uuid7
from gigacore.records import ListRequest

LEAD = {"last_name": "Doe"}


def define(crm: Crm, actor: Actor, **data: Any) -> Any:
    with crm.unit_of_work(actor) as ctx:
        found = customfields.define(ctx, {"entity": "crm.lead", "label": "Region", "kind": "text", **data})
    assert crm.refresh()
    return found


def test_a_field_is_known_everywhere_after_the_commit(crm: Crm, admin: Actor) -> None:
    found = define(crm, admin, labels={"fr": "Région"}, help="Where?", listed=True)
    field = crm.registry.entity("crm.lead").fields["x_region"]
    assert found.key == "x_region"
    assert (field.kind, field.label, field.labels["fr"], field.listed, field.custom) == (
        "text", "Region", "Région", True, True,
    )  # fmt: skip
    assert "x_region" not in crm.registry.entity("crm.contact").fields


SAMPLES: dict[str, tuple[Any, Any]] = {
    "text": ("Île", "Île"),
    "longtext": ("a\nb", "a\nb"),
    "integer": (12, 12),
    "decimal": ("12.3456", "12.3456"),
    "money": ({"amount": "12.50", "currency": "EUR"}, {"amount": "12.50", "currency": "EUR"}),
    "date": ("2026-01-31", "2026-01-31"),
    "datetime": ("2026-01-31T10:00:00+01:00", "2026-01-31T09:00:00Z"),
    "choice": ("north", "north"),
    "choices": (["north", "south"], ["north", "south"]),
    "boolean": (True, True),
    "url": ("https://example.test/a", "https://example.test/a"),
    "email": ("a@example.test", "a@example.test"),
    "phone": ("+33 6 12 34 56 78", "+33 6 12 34 56 78"),
}
EXTRA: dict[str, dict[str, Any]] = {
    "choice": {"choices": ["North", "South"]},
    "choices": {"choices": [{"label": "North", "labels": {"fr": "Nord"}}, "South"]},
}


def test_every_kind_is_written_read_filtered_and_sorted(crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        for kind in SAMPLES:
            data = {"entity": "crm.lead", "key": f"x_{kind}", "label": kind, "kind": kind, **EXTRA.get(kind, {})}
            customfields.define(ctx, data)
    crm.refresh()
    with crm.unit_of_work(admin) as ctx:
        record = records.create(ctx, "crm.lead", LEAD | {f"x_{kind}": given for kind, (given, _) in SAMPLES.items()})
        records.create(ctx, "crm.lead", {"last_name": "Empty"})
        ctx.session.flush()
        number = record.id
    with crm.read(admin) as ctx:
        shown = orjson.loads(records.dumps(records.get(ctx, "crm.lead", number)))
        assert {kind: shown[f"x_{kind}"] for kind in SAMPLES} == {kind: wanted for kind, (_, wanted) in SAMPLES.items()}
        for kind, (given, _) in SAMPLES.items():
            many = kind == "choices"
            tree = {"field": f"x_{kind}", "op": "contains" if many else "eq", "value": given[0] if many else given}
            found = records.page(ctx, "crm.lead", ListRequest(filter=tree))
            assert [item["id"] for item in found.items] == [number], kind
            if kind not in ("choices", "longtext"):
                first = records.page(ctx, "crm.lead", ListRequest(sort=(f"x_{kind}",))).items[0]
                assert first["id"] == number, kind


def test_a_reference_field_is_followed_in_filters(crm: Crm, admin: Actor) -> None:
    define(crm, admin, key="x_firm", kind="ref", target="crm.company", label="Firm")
    with crm.unit_of_work(admin) as ctx:
        company = records.create(ctx, "crm.company", {"name": "Ünique"})
        ctx.session.flush()
        lead = records.create(ctx, "crm.lead", {**LEAD, "x_firm": company.id})
        ctx.session.flush()
        number = lead.id
    with crm.read(admin) as ctx:
        tree = {"field": "x_firm.name", "op": "eq", "value": "unique"}
        page = records.page(ctx, "crm.lead", ListRequest(filter=tree))
        assert [item["id"] for item in page.items] == [number]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"key": "region"}, "key"),
        ({"key": "x_'; drop table crm_lead; --"}, "key"),
        ({"key": "x_" + "a" * 41}, "key"),
        ({"key": None}, "key"),
        ({"entity": "crm.nothing"}, "entity"),
        ({"kind": "formula"}, "kind"),
        ({"kind": ["text"]}, "kind"),
        ({"label": ""}, "label"),
        ({"label": "a\x00b"}, "label"),
        ({"labels": {"french": "Région"}}, "labels"),
        ({"kind": "ref"}, "target"),
        ({"kind": "ref", "target": "crm.nothing"}, "target"),
        ({"target": "crm.company"}, "target"),
        ({"kind": "choice"}, "choices"),
        ({"kind": "choice", "choices": ["A", "a"]}, "choices"),
        ({"kind": "choice", "choices": ["A"], "default": "b"}, "default"),
        ({"kind": "choice", "choice_list": "crm.nothing"}, "choice_list"),
        ({"choices": ["A"]}, "choices"),
        ({"kind": "integer", "default": "twelve"}, "default"),
        ({"kind": "longtext", "indexed": True}, "indexed"),
        ({"kind": "boolean", "unique": True}, "unique"),
        ({"required": "yes"}, "required"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_definition_is_refused(data: dict[str, Any], path: str) -> None:
    registry = Registry.build(plugin.entities, choice_lists=plugin.choice_lists)
    with pytest.raises(Invalid) as caught:
        new_definition({"entity": "crm.lead", "label": "Region", "kind": "text", **data}, uuid7(), registry)
    assert [error.path for error in caught.value.errors] == [path]


def test_a_refused_definition_changes_nothing(crm: Crm, admin: Actor) -> None:
    with pytest.raises(Invalid), crm.unit_of_work(admin) as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "label": "", "kind": "text"})
    assert not crm.refresh()


def test_only_administrators_define_fields(crm: Crm, make_user: Any) -> None:
    user = make_user("user")
    with pytest.raises(Forbidden), crm.unit_of_work(user) as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "label": "Region", "kind": "text"})


def test_a_key_is_taken_once_per_entity_even_by_a_hidden_field(crm: Crm, admin: Actor) -> None:
    define(crm, admin)
    with crm.unit_of_work(admin) as ctx:
        customfields.remove(ctx, "crm.lead", "x_region")
    with pytest.raises(Invalid), crm.unit_of_work(admin) as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "label": "Region", "kind": "text"})


def test_what_a_field_is_never_changes(crm: Crm, admin: Actor) -> None:
    define(crm, admin)
    for data in ({"kind": "integer"}, {"key": "x_other"}, {"entity": "crm.contact"}):
        with pytest.raises(Invalid), crm.unit_of_work(admin) as ctx:
            customfields.change(ctx, "crm.lead", "x_region", data)


def test_an_unknown_field_is_not_found(crm: Crm, admin: Actor) -> None:
    with pytest.raises(NotFound), crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, "crm.lead", "x_none", {"label": "A"})


def test_a_removed_field_keeps_its_values_until_it_is_purged(crm: Crm, admin: Actor) -> None:
    define(crm, admin, unique=True)
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {**LEAD, "x_region": "Nord"})
    with crm.unit_of_work(admin) as ctx:
        customfields.remove(ctx, "crm.lead", "x_region")
    assert crm.refresh()
    assert "x_region" not in crm.registry.entity("crm.lead").fields
    assert _stored(crm) == [{"x_region": "Nord"}]
    with crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, "crm.lead", "x_region", {"active": True})
    assert crm.refresh()
    with crm.unit_of_work(admin) as ctx:
        customfields.remove(ctx, "crm.lead", "x_region", purge=True)
    assert crm.refresh()
    assert _stored(crm) == [{}]
    with crm.unit_of_work(admin) as ctx:
        assert customfields.read_definitions(ctx.session) == ()


def _stored(crm: Crm) -> list[Any]:
    cls = crm.registry.entity("crm.lead").cls
    with crm.system("look at stored values") as ctx:
        return list(ctx.session.scalars(sa.select(cls.custom).order_by(cls.id)))


def test_uniqueness_is_kept_by_the_database_and_named_by_the_field(crm: Crm, admin: Actor) -> None:
    define(crm, admin, unique=True)
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {**LEAD, "x_region": "Île"})
        records.create(ctx, "crm.lead", LEAD)
        records.create(ctx, "crm.lead", LEAD)
    with pytest.raises(Invalid) as caught, crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {**LEAD, "x_region": "ile"})
    assert [error.path for error in caught.value.errors] == ["x_region"]


def test_control_without_unique_the_value_may_occur_twice(crm: Crm, admin: Actor) -> None:
    define(crm, admin)
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {**LEAD, "x_region": "Île"})
        records.create(ctx, "crm.lead", {**LEAD, "x_region": "ile"})
    with pytest.raises(Invalid) as caught, crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, "crm.lead", "x_region", {"unique": True})
    assert [error.path for error in caught.value.errors] == ["unique"]


def test_a_choice_that_is_no_longer_offered_keeps_its_label(crm: Crm, admin: Actor) -> None:
    define(crm, admin, key="x_side", kind="choice", choices=["North", "South"])
    with crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, "crm.lead", "x_side", {"choices": ["South", "West"]})
    assert crm.refresh()
    field = crm.registry.entity("crm.lead").fields["x_side"]
    choices = crm.registry.choice_list(field)
    assert choices is not None
    assert [(choice.key, choice.active) for choice in choices.choices] == [
        ("south", True), ("west", True), ("north", False),
    ]  # fmt: skip


def test_a_filter_on_a_removed_field_is_refused(crm: Crm, admin: Actor) -> None:
    define(crm, admin)
    lead = crm.registry.entity("crm.lead")
    tree = {"field": "x_region", "op": "eq", "value": "a"}
    parse(tree, lead, crm.registry)
    with crm.unit_of_work(admin) as ctx:
        customfields.remove(ctx, "crm.lead", "x_region")
    crm.refresh()
    with pytest.raises(Invalid):
        parse(tree, crm.registry.entity("crm.lead"), crm.registry)


def test_a_default_fills_what_a_new_record_does_not_name(crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        old = records.create(ctx, "crm.lead", LEAD)
        ctx.session.flush()
        number = old.id
    define(crm, admin, default="Nord", required=True)
    define(crm, admin, key="x_amount", kind="decimal", default="1.5")
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", LEAD)
        records.create(ctx, "crm.lead", {**LEAD, "x_region": "Sud", "x_amount": None})
        records.update(ctx, "crm.lead", number, {"last_name": "Roe"})
    assert _stored(crm) == [{}, {"x_region": "Nord", "x_amount": 15000}, {"x_region": "Sud"}]


def test_a_hidden_field_is_found_again_after_its_records_changed(crm: Crm, admin: Actor) -> None:
    define(crm, admin)
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", {**LEAD, "x_region": "Île"})
        ctx.session.flush()
        number = lead.id
    for active in (False, True):
        with crm.unit_of_work(admin) as ctx:
            customfields.change(ctx, "crm.lead", "x_region", {"active": active})
        assert crm.refresh()
        with crm.unit_of_work(admin) as ctx:
            records.update(ctx, "crm.lead", number, {"last_name": f"Roe {active}"})
    tree = {"field": "x_region", "op": "eq", "value": "ile"}
    with crm.read(admin) as ctx:
        assert len(records.page(ctx, "crm.lead", ListRequest(filter=tree)).items) == 1


def test_a_record_from_the_trash_brings_no_purged_value_back(crm: Crm, admin: Actor) -> None:
    define(crm, admin)
    define(crm, admin, key="x_kept", label="Kept")
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", {**LEAD, "x_region": "Nord", "x_kept": "Yes"})
        ctx.session.flush()
        number = lead.id
    with crm.unit_of_work(admin) as ctx:
        records.delete(ctx, "crm.lead", number)
        customfields.remove(ctx, "crm.lead", "x_region", purge=True)
    define(crm, admin, kind="integer", indexed=True)
    with crm.unit_of_work(admin) as ctx:
        (trashed,) = trash.listing(ctx)
        trash.restore(ctx, trashed.id)
    assert _stored(crm) == [{"x_kept": "Yes"}]


def test_a_raw_value_that_is_not_in_stored_form_is_refused(crm: Crm, admin: Actor) -> None:
    wrong = {"integer": "1", "decimal": 1.5, "money": 100, "boolean": 1, "date": "today", "text": 1, "choices": "a"}
    for kind in wrong:
        define(crm, admin, key=f"x_{kind}", kind=kind, **EXTRA.get(kind, {}))
    cls: Any = crm.registry.entity("crm.lead").cls
    for kind, value in wrong.items():
        with pytest.raises(Misuse), crm.unit_of_work(admin) as ctx:
            ctx.session.add(cls(last_name="Doe", custom={f"x_{kind}": value}))


def test_bulk_changes_store_custom_values_as_single_ones_do(crm: Crm, admin: Actor) -> None:
    define(crm, admin, key="x_amount", kind="decimal")
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", LEAD)
        ctx.session.flush()
        bulk.update(ctx, crm.registry.entity("crm.lead"), [lead.id], {"x_amount": Decimal("1.5")})
    assert _stored(crm) == [{"x_amount": 15000}]
    with crm.unit_of_work(admin) as ctx:
        bulk.update(ctx, crm.registry.entity("crm.lead"), [lead.id], {"x_amount": None})
    assert _stored(crm) == [{}]
