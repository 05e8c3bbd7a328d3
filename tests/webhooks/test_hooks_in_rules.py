"""Web hooks in rules: one starts when a message arrives, another calls an address of somebody else."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gigacore import Actor, Crm, records
from gigacore.clock import FixedClock
from gigacore.errors import Forbidden, Invalid
from gigacore.webhooks import CALLED, signing
from tests.webhooks.conftest import Receiver

MakeUser = Callable[..., Actor]
NEW_LEAD = {"entity": "crm.lead", "trigger": {"kind": "core.created"}}


def calling(url: str, **more: Any) -> dict[str, Any]:
    return NEW_LEAD | {"steps": [{"do": "core.call_hook", "with": {"url": url, **more}}]}


def switch_on(crm: Crm, actor: Actor, body: Mapping[str, Any]) -> int:
    with crm.unit_of_work(actor) as ctx:
        rule = crm.automation.create(ctx, "Tell", body)
        crm.automation.switch(ctx, rule.id, active=True)
    return rule.id


def lead(crm: Crm, actor: Actor, name: str) -> int:
    with crm.unit_of_work(actor) as ctx:
        number = records.create(ctx, "crm.lead", {"last_name": name, "city": "Lyon"}).id
    crm.jobs.run_pending()
    return number


def last_run(crm: Crm, actor: Actor, rule: int) -> Any:
    with crm.read(actor) as ctx:
        return crm.automation.runs(ctx, rule_id=rule)[0]


def test_a_rule_calls_an_address_and_its_log_is_that_of_a_subscription(
    crm: Crm, admin: Actor, clock: FixedClock, receiver: Receiver
) -> None:
    rule = switch_on(crm, admin, calling(receiver.url, data={"who": "{{ record.last_name }}", "from": ["CRM"]}))
    switch_on(crm, admin, calling(receiver.url))
    lead(crm, admin, 'Durand "x"')
    told = sorted((json.loads(body) for _, body in receiver.got), key=lambda one: len(one["data"]))
    assert [one["type"] for one in told] == [CALLED, CALLED]
    assert told[0]["data"] == {"who": 'Durand "x"', "from": ["CRM"]}
    assert told[1]["data"]["city"] == "Lyon"
    run = last_run(crm, admin, rule)
    with crm.read(admin) as ctx:
        (hook,) = crm.webhooks.hooks(ctx, receiver.url)
        assert [one.state for one in crm.webhooks.deliveries(ctx, hook.id)] == ["done", "done"]
    assert run.steps[0]["did"] == {"to": "127.0.0.1", "hook": hook.id}
    with crm.unit_of_work(admin) as ctx:
        crm.webhooks.switch(ctx, hook.id, active=False)
    lead(crm, admin, "Weber")
    failed = last_run(crm, admin, rule)
    assert (failed.state, "is switched off" in str(failed.error), len(receiver.got)) == ("failed", True, 2)


@pytest.mark.parametrize("url", ["http://example.com/x", "https://0177.0.0.1/x", "https://[::ffff:a9fe:a9fe]/", "x"])
def test_a_rule_may_not_call_what_is_private(crm: Crm, admin: Actor, make_user: MakeUser, url: str) -> None:
    with crm.unit_of_work(admin) as ctx:
        with pytest.raises(Invalid) as refused:
            crm.automation.create(ctx, "Tell", calling(url))
        assert [error.path for error in refused.value.errors] == ["steps[0].with.url"]
        crm.automation.create(ctx, "Tell", calling("https://example.com/x"))


def test_a_rule_starts_when_a_message_arrives_and_uses_what_it_says(
    crm: Crm, admin: Actor, clock: FixedClock, make_user: MakeUser
) -> None:
    with crm.unit_of_work(admin) as ctx:
        _, secret = crm.webhooks.add_source(ctx, key="site", name="Site", mapping={})
    values = {"title": "Call {{ event.body.name }}"}
    body = {
        "entity": None,
        "trigger": {"kind": "core.hook_received", "source": "site"},
        "steps": [{"do": "core.create_record", "with": {"entity": "crm.task", "values": values}}],
    }
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("manager")) as ctx:
        crm.automation.create(ctx, "Listen", body)
    rule = switch_on(crm, admin, body)
    for number, name in enumerate(("Durand", "Weber")):
        raw = json.dumps({"name": name}).encode()
        with crm.system("hook") as ctx:
            crm.webhooks.receive(ctx, "in", "site", signing.headers([secret], f"m{number}", clock.now(), raw), raw)
        crm.jobs.run_pending()
    with crm.read(admin) as ctx:
        tasks = records.page(ctx, "crm.task", records.ListRequest(sort=("id",))).items
        past = crm.automation.try_on_past(ctx, "Listen", body, clock.now().replace(day=1))
    assert [one["title"] for one in tasks] == ["Call Durand", "Call Weber"]
    assert (past.matched, [step.action for step in past.hits[0].would]) == (2, ["core.create_record"])
    assert last_run(crm, admin, rule).state == "done"
