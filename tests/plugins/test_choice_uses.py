"""A value of a list is replaced wherever it stands: fields, many-valued fields, child rows, custom fields."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gigacore import Crm, customfields, records
from gigacore.context import Actor
from gigacore.errors import Conflict, Forbidden, Invalid
from gigacore.plugins import choices

People = Callable[..., Actor]


def test_a_value_is_merged_into_another_in_every_record(crm: Crm, make_user: People) -> None:
    admin = make_user("admin")
    with crm.unit_of_work(admin) as ctx:
        choices.add(ctx, "crm.phone_kind", {"label": "Direct"})
    crm.refresh()
    with crm.unit_of_work(make_user("user")) as ctx:
        hidden = {"last_name": "A", "source": "website", "tags": ["vip", "new one", "old one"], "visibility": "private"}
        lead = records.create(ctx, "crm.lead", hidden).id
        person = {"first_name": "B", "last_name": "B", "phones": [{"phone": "+33123456789", "kind": "direct"}]}
        contact = records.create(ctx, "crm.contact", person).id
    crm.refresh()
    with crm.unit_of_work(admin) as ctx:
        with pytest.raises(Conflict):
            choices.remove(ctx, "crm.phone_kind", "direct")
        with pytest.raises(Invalid):
            choices.merge(ctx, "crm.tag", "vip", "vip")
        assert choices.merge(ctx, "crm.tag", "old_one", "new_one") == 1
        assert choices.merge(ctx, "crm.phone_kind", "direct", "mobile") == 1
    crm.refresh()
    assert crm.registry.choice_lists["crm.tag"].get("old_one") is None
    with crm.read(admin) as ctx:
        found = records.get(ctx, "crm.lead", lead)
        assert (found["tags"], found["version"]) == (["vip", "new_one"], 2)
        assert records.get(ctx, "crm.contact", contact)["phones"][0]["kind"] == "mobile"


def test_a_merge_that_may_not_be_changes_nothing(crm: Crm, make_user: People) -> None:
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("user")) as ctx:
        choices.merge(ctx, "crm.source", "website", "referral")
    with pytest.raises(Conflict), crm.unit_of_work(make_user("admin")) as ctx:
        choices.merge(ctx, "crm.lead_status", "won", "new")


def test_custom_fields_are_ordered_and_their_values_counted(crm: Crm, make_user: People) -> None:
    admin = make_user("admin")
    with crm.unit_of_work(admin) as ctx:
        for label in ("Size", "Region", "Note"):
            customfields.define(ctx, {"entity": "crm.lead", "kind": "text", "label": label})
    crm.refresh()
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "A", "x_size": "M"})
        ctx.session.flush()
        customfields.arrange(ctx, "crm.lead", ["x_note"])
        counted = [customfields.count_values(ctx, "crm.lead", key) for key in ("x_size", "x_note")]
        order = [one.key for one in customfields.read_definitions(ctx.session.connection(), "crm.lead")]
    assert (counted, order) == ([1, 0], ["x_note", "x_size", "x_region"])
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("user")) as ctx:
        customfields.arrange(ctx, "crm.lead", ["x_note"])
