"""Each implementation of a hook is called on its own, and a failure follows the hook's policy."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest

from gigacore import Abort, Actor, Crm, Plugin, PluginError, hookimpl, msg, records
from gigacore.data import activities
from gigacore.errors import Unavailable
from gigacore.plugins import Dispatcher
from gigacore.ui import Fact, Facts, Slot, Tab


def hooks(**functions: Callable[..., Any]) -> types.SimpleNamespace:
    return types.SimpleNamespace(**{name: hookimpl(function) for name, function in functions.items()})


def fail(*_: object) -> None:
    raise RuntimeError("no luck")


def failing(name: str, *arguments: str) -> types.SimpleNamespace:
    """An object whose hook `name` takes `arguments` and raises."""
    space: dict[str, Any] = {"fail": fail}
    exec(f"def {name}({', '.join(arguments)}): fail()", space)
    return hooks(**{name: space[name]})


def set_city(entity: Any, record: Any) -> None:
    if entity.name == "crm.lead":
        record.city = "Lyon"


def refuse_closed(entity: Any, record: Any, changed: frozenset[str]) -> None:
    if entity.name == "crm.lead" and record.last_name == "Closed":
        raise Abort(msg("Not this one."))


@pytest.fixture
def run(crm: Crm) -> Callable[..., None]:
    """Lets these plugins' hooks take part in the writes of `crm`; faults are not raised as they are."""

    def use(*plugins: Plugin) -> None:
        dispatcher = Dispatcher(registry=lambda: crm.registry)
        for plugin in plugins:
            dispatcher.add(plugin)
        crm.database.hooks = dispatcher
        crm.guard.narrow = dispatcher.narrow_policy

    return use


def create(crm: Crm, actor: Actor, **values: Any) -> Any:
    with crm.unit_of_work(actor) as ctx:
        return records.create(ctx, "crm.lead", values)


def count(crm: Crm) -> int:
    with crm.system("count") as ctx:
        return records.page(ctx, "crm.lead", records.ListRequest()).count.value


def test_a_hook_completes_and_another_refuses_a_record(crm: Crm, admin: Actor, run: Callable[..., None]) -> None:
    run(Plugin("one", hooks=[hooks(before_save=set_city)]), Plugin("two", hooks=[hooks(validate_record=refuse_closed)]))
    assert create(crm, admin, last_name="Open").city == "Lyon"
    with pytest.raises(Abort, match="Not this one"):
        create(crm, admin, last_name="Closed")
    assert count(crm) == 1


@pytest.mark.parametrize("hook", ["before_save", "validate_record", "after_save"])
def test_a_fault_in_a_data_hook_refuses_the_write(crm: Crm, admin: Actor, run: Callable[..., None], hook: str) -> None:
    run(Plugin("broken", hooks=[failing(hook, "record")]))
    with pytest.raises(Unavailable, match=f"The plugin broken failed in {hook}"):
        create(crm, admin, last_name="Durand")
    run()
    assert count(crm) == 0


def test_a_fault_in_a_permission_hook_shows_nothing(crm: Crm, admin: Actor, run: Callable[..., None]) -> None:
    create(crm, admin, last_name="Durand")
    run(Plugin("broken", hooks=[failing("narrow_policy", "entity")]))
    with pytest.raises(Unavailable), crm.read(admin) as ctx:
        records.page(ctx, "crm.lead", records.ListRequest())


def test_a_plugin_narrows_what_is_seen(crm: Crm, admin: Actor, run: Callable[..., None]) -> None:
    def narrow_policy(entity: Any) -> Any:
        return {"field": "last_name", "op": "eq", "value": "Seen"} if entity.name == "crm.lead" else None

    for name in ("Seen", "Hidden"):
        create(crm, admin, last_name=name)
    run(Plugin("narrow", hooks=[hooks(narrow_policy=narrow_policy)]))
    with crm.read(admin) as ctx:
        assert records.page(ctx, "crm.lead", records.ListRequest()).count.value == 1


def test_what_an_idle_plugin_narrows_is_closed(crm: Crm, admin: Actor) -> None:
    crm.hooks.blocked = {"crm.lead": "secrets"}
    with pytest.raises(Unavailable, match="The plugin secrets, which decides who sees this"), crm.read(admin) as ctx:
        records.page(ctx, "crm.lead", records.ListRequest())


def test_a_failing_part_of_a_page_is_left_out_visibly() -> None:
    def fill_slot(slot: Slot) -> list[Facts]:
        return [Facts((Fact("Slot", slot),))]

    dispatcher = Dispatcher()
    dispatcher.add(Plugin("broken", hooks=[failing("fill_slot", "slot")]))
    dispatcher.add(Plugin("good", hooks=[hooks(fill_slot=fill_slot)]))
    broken, good = dispatcher.fill_slot(None, Slot.HOME)  # type: ignore[arg-type]
    assert (broken.plugin, broken.content, broken.fault) == ("broken", (), "RuntimeError: no luck")
    assert good.content == (Facts((Fact("Slot", Slot.HOME),)),)


def test_hooks_are_called_in_the_order_of_the_plugins() -> None:
    seen: list[str] = []
    dispatcher = Dispatcher()
    for name in ("first", "second", "third"):
        dispatcher.add(Plugin(name, hooks=[hooks(before_delete=lambda record, name=name: seen.append(name))]))
    dispatcher.before_delete(None, None, None)  # type: ignore[arg-type]
    assert seen == ["first", "second", "third"]


@pytest.mark.parametrize(("name", "argument"), [("before_saves", "record"), ("before_save", "nonsense")])
def test_a_hook_that_does_not_fit_registers_nothing(name: str, argument: str) -> None:
    dispatcher = Dispatcher()
    good = hooks(after_save=lambda record: None)
    with pytest.raises(PluginError, match="A hook does not fit"):
        dispatcher.add(Plugin("broken", hooks=[good, failing(name, argument)]))
    assert dispatcher.implementations("after_save") == ()


def test_declared_parts_join_those_of_the_manifest(crm: Crm) -> None:
    def declare_parts(registry: Any) -> list[Tab]:
        return [
            Tab(name=f"maps.{name}", label="Map", entity=name, load=lambda ctx, record: [])
            for name, spec in registry.entities.items()
            if "city" in spec.fields
        ]

    plugin = Plugin("maps", hooks=[hooks(declare_parts=declare_parts)])
    with Crm(crm.settings, engine=crm.engine, plugins=[plugin]) as other:
        other.start()
        other.enable("maps")
        assert "crm.lead" in {tab.entity for tab in other.plugins.declared(Tab)}


def test_verifiers_are_named_by_their_plugin(crm: Crm) -> None:
    plugin = Plugin("maps", hooks=[hooks(declare_verifiers=lambda: {"tiles": lambda ctx: [msg("One is torn.")]})])
    with Crm(crm.settings, engine=crm.engine, plugins=[plugin]) as other:
        other.start()
        other.enable("maps")
        with other.system("verify") as ctx:
            assert [str(m) for m in other.plugins.verifiers()["maps.tiles"](ctx)] == ["One is torn."]


def test_plugins_are_told_of_activities(crm: Crm, admin: Actor, run: Callable[..., None]) -> None:
    seen: list[Any] = []
    lead = create(crm, admin, last_name="Durand")

    def activity_logged(kind: str, records: Any) -> None:
        seen.append((kind, records))

    run(Plugin("one", hooks=[hooks(activity_logged=activity_logged)]))
    with crm.unit_of_work(admin) as ctx:
        activities.log(ctx, "call", "Called back", [("crm.lead", lead.id)])
    assert [(kind, list(about)) for kind, about in seen] == [("call", [("crm.lead", lead.id)])]
