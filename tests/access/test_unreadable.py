"""A field that may not be read cannot be guessed either, nor a record that may not be seen; on the real entities."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.access import roles, shares, users
from gigacore.context import Actor, Context
from gigacore.errors import Forbidden, GigaError, Invalid, NotFound
from gigacore.records import ListRequest
from tests.exchange.samples import exported_csv

People = Callable[..., Actor]
LEAD = "crm.lead"


@pytest.fixture
def blind(crm: Crm, make_user: People) -> Actor:
    """A user who sees every lead, but neither its e-mail nor its amount."""
    with crm.system("test") as ctx:
        roles.create(ctx, "blind", {"en": "Blind"}, like="user")
        roles.grant(ctx, "blind", LEAD, "view", "all")
        roles.grant(ctx, "blind", LEAD, "edit", "all")
        for field in ("email", "amount"):
            roles.set_field_rule(ctx, "blind", LEAD, field, read=False, write=False)
    return make_user("blind")


@pytest.fixture
def leads(crm: Crm, make_user: People) -> list[int]:
    data = [
        {"last_name": "Martin", "email": "zoe@example.test", "amount": {"amount": "10", "currency": "EUR"}},
        {"last_name": "Durand", "email": "abe@example.test", "amount": {"amount": "90", "currency": "EUR"}},
    ]
    with crm.unit_of_work(make_user("admin")) as ctx:
        return [records.create(ctx, LEAD, row).id for row in data]


def ask(crm: Crm, actor: Actor, **request: Any) -> records.Page:
    with crm.read(actor) as ctx:
        return records.page(ctx, LEAD, ListRequest(**request))


@pytest.mark.parametrize(
    "request_",
    [
        {"filter": {"field": "email", "op": "starts", "value": "a"}},
        {"filter": {"field": "amount", "op": "gt", "value": "50"}},
        {"filter": {"field": "amount.currency", "op": "eq", "value": "EUR"}},
        {"filter": {"not": {"any": [{"field": "email", "op": "empty", "value": True}]}}},
        {"filter": {"field": "last_name", "op": "ne", "value": {"ref": "record.email"}}},
        {"sort": ("email",)},
        {"sort": ("-amount",)},
        {"fields": ("id", "email")},
    ],
)
def test_an_unreadable_field_is_unknown_in_filters_sorts_and_columns(
    crm: Crm, blind: Actor, leads: list[int], request_: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as caught:
        ask(crm, blind, **request_)
    nonsense = json.loads(json.dumps(request_).replace("email", "nope").replace("amount", "nope"))
    with pytest.raises(Invalid) as unknown:
        ask(crm, blind, **nonsense)
    assert {error.code for error in caught.value.errors} == {error.code for error in unknown.value.errors}


def test_the_control_whoever_may_read_it_filters_by_it(crm: Crm, make_user: People, leads: list[int]) -> None:
    found = ask(crm, make_user("admin"), filter={"field": "email", "op": "starts", "value": "a"}, sort=("-amount",))
    assert [item["id"] for item in found.items] == [leads[1]]


def test_an_unreadable_field_stands_in_no_answer(crm: Crm, blind: Actor, leads: list[int]) -> None:
    with crm.read(blind) as ctx:
        one = records.get(ctx, LEAD, leads[0])
        listed = records.page(ctx, LEAD, ListRequest()).items
    assert len(listed) == 2
    for answer in (one, *listed):
        assert not {"email", "amount"} & answer.keys()
        assert "zoe@" not in repr(answer)


def test_an_unreadable_field_is_not_searched(crm: Crm, blind: Actor, make_user: People, leads: list[int]) -> None:
    assert len(ask(crm, make_user("admin"), search="zoe@example").items) == 1
    assert ask(crm, blind, search="zoe@example").items == []


@pytest.mark.parametrize("field", ["email", "amount"])
def test_an_unwritable_field_is_unknown_in_input(crm: Crm, blind: Actor, leads: list[int], field: str) -> None:
    value = "x@example.test" if field == "email" else {"amount": "1", "currency": "EUR"}
    with pytest.raises(Invalid) as caught, crm.unit_of_work(blind) as ctx:
        records.update(ctx, LEAD, leads[0], {field: value})
    assert [error.path for error in caught.value.errors] == [field]


def test_a_hidden_record_cannot_be_felt_through_a_reference(crm: Crm, make_user: People) -> None:
    admin, user = make_user("admin"), make_user("user")
    with crm.unit_of_work(admin) as ctx:
        company = records.create(ctx, "crm.company", {"name": "Secret Ltd", "visibility": "private"})
    with crm.unit_of_work(admin) as ctx:
        contact = records.create(
            ctx, "crm.contact", {"first_name": "A", "last_name": "Open", "company_id": company.id, "visibility": "read"}
        )
    by_name = {"field": "company_id.name", "op": "starts", "value": "sec"}
    with crm.read(user) as ctx:
        seen = records.get(ctx, "crm.contact", contact.id)
        assert seen["company_id"] == {"id": company.id, "label": None, "hidden": True}
        assert records.page(ctx, "crm.contact", ListRequest(filter=by_name)).items == []
        assert len(records.page(ctx, "crm.contact", ListRequest(filter={"not": by_name})).items) == 1
    with crm.read(admin) as ctx:
        assert len(records.page(ctx, "crm.contact", ListRequest(filter=by_name)).items) == 1


def test_totals_are_those_of_a_world_without_the_hidden_records(crm: Crm, make_user: People) -> None:
    admin, user = make_user("admin"), make_user("user")
    with crm.unit_of_work(admin) as ctx:
        for number in range(5):
            visibility = "private" if number % 2 else "read"
            records.create(ctx, "crm.contact", {"first_name": "A", "last_name": f"C{number}", "visibility": visibility})
    with crm.read(user) as ctx:
        page = records.page(ctx, "crm.contact", ListRequest())
    assert page.count is not None
    assert (page.count.value, len(page.items)) == (3, 3)


@pytest.mark.parametrize("verb", ["get", "update", "delete", "action"])
def test_a_private_record_is_like_an_unknown_one_until_it_is_shared(crm: Crm, make_user: People, verb: str) -> None:
    owner, friend = make_user("user"), make_user("user")
    with crm.unit_of_work(owner) as ctx:
        lead = records.create(ctx, LEAD, {"last_name": "Mine", "visibility": "private"})
    steps: dict[str, Callable[[Context, int], Any]] = {
        "get": lambda ctx, key: records.get(ctx, LEAD, key),
        "update": lambda ctx, key: records.update(ctx, LEAD, key, {"last_name": "Theirs"}),
        "delete": lambda ctx, key: records.delete(ctx, LEAD, key),
        "action": lambda ctx, key: records.run_action(
            ctx, LEAD, key, next(iter(ctx.session.registry.actions[LEAD])), {}
        ),
    }
    hidden, unknown = (failure(crm, friend, steps[verb], key) for key in (lead.id, 10**9))
    assert (type(hidden), str(hidden)) == (type(unknown), str(unknown))
    with crm.unit_of_work(owner) as ctx:
        shares.add(ctx, records.load(ctx, LEAD, lead.id), user_id=friend.user_id)
    if verb == "get":
        with crm.read(friend) as ctx:
            assert steps[verb](ctx, lead.id)["last_name"] == "Mine"
    else:
        assert isinstance(failure(crm, friend, steps[verb], lead.id), Forbidden)


def failure(crm: Crm, actor: Actor, step: Callable[[Context, int], Any], key: int) -> GigaError:
    with pytest.raises((NotFound, Forbidden)) as caught, crm.unit_of_work(actor) as ctx:
        step(ctx, key)
    return caught.value


def test_names_of_people_are_no_secret_but_their_accounts_are(crm: Crm, make_user: People) -> None:
    user = make_user("user", name="Uma")
    with crm.read(user) as ctx:
        assert (user.user_id, "Uma") in users.names(ctx)
        with pytest.raises(Forbidden):
            users.all_users(ctx)


def test_an_export_holds_only_what_the_right_to_export_reaches(crm: Crm, make_user: People) -> None:
    with crm.system("test") as ctx:
        roles.create(ctx, "exporter", {"en": "Exporter"}, like="user")
        roles.grant(ctx, "exporter", LEAD, "export", "own")
    user, admin = make_user("exporter"), make_user("admin")
    for actor, name in ((user, "Mine"), (admin, "Foreign")):
        with crm.unit_of_work(actor) as ctx:
            records.create(ctx, LEAD, {"last_name": name, "visibility": "read"})
    with crm.read(user) as ctx:
        assert len(records.page(ctx, LEAD, ListRequest()).items) == 2
        text = exported_csv(ctx, LEAD).decode()
    assert "Mine" in text
    assert "Foreign" not in text
    with crm.read(make_user("user")) as ctx, pytest.raises(Forbidden):
        exported_csv(ctx, LEAD)
