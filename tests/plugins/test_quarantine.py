"""A plugin that cannot run is kept out with its reason; everything else starts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from gigacore import Crm, PluginError, records
from gigacore.plugins import PluginState

PLAIN = 'from gigacore import Plugin\nplugin = Plugin("{name}")'
REQUIRING = 'from gigacore import Plugin\nplugin = Plugin("{name}", requires=["REQUIRED"])'


def reason(crm: Crm, name: str) -> str:
    (status,) = (s for s in crm.plugins.list() if s.name == name)
    assert status.state is PluginState.QUARANTINED
    return str(status.reason)


def names(crm: Crm) -> list[str]:
    return [plugin.name for plugin in crm.plugins.enabled]


@pytest.fixture
def started(make_crm: Callable[..., Crm], site: Any) -> Callable[..., Crm]:
    """Enables the plugins, lets `spoil` change their files, and starts anew."""

    def start(*enabled: str, spoil: Callable[[], object] = lambda: None, **options: Any) -> Crm:
        crm = make_crm()
        crm.start()
        for name in enabled:
            crm.plugins.enable(name)
        spoil()
        site.forget()
        return make_crm(**options).start()

    return start


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import nowhere_to_be_found", "ModuleNotFoundError"),
        ("plugin = 'a string'", "is not a Plugin"),
        ('from gigacore import Plugin\nplugin = Plugin("{name}", api="1.99")', "asks for plugin API 1.99"),
        ('from gigacore import Plugin\nplugin = Plugin("another")', "the manifest another"),
    ],
)
def test_a_plugin_that_fails_at_import_leaves_the_rest_running(
    started: Callable[..., Crm], site: Any, code: str, told: str
) -> None:
    good, bad = site.add(), site.add()
    crm = started(good, bad, spoil=lambda: site.add(code, name=bad))
    assert names(crm) == ["crm", good]
    assert told in reason(crm, bad)
    site.add(name=bad)
    sys.modules.pop(f"gigacore_{bad}", None)
    assert bad in names(crm.start())


def test_what_requires_a_broken_plugin_is_kept_out_too(started: Callable[..., Crm], site: Any) -> None:
    base = site.add()
    leaf = site.add(REQUIRING.replace("REQUIRED", base))
    crm = started(base, leaf, spoil=lambda: site.add("raise ValueError", name=base))
    assert names(crm) == ["crm"]
    assert reason(crm, leaf).startswith(f"It requires {base}, which is out of order. Install, enable or mend that one")


def test_plugins_that_require_each_other_are_kept_out(started: Callable[..., Crm], site: Any) -> None:
    one, two = site.add(), site.add()

    def spoil() -> None:
        site.add(REQUIRING.replace("REQUIRED", two), name=one)
        site.add(REQUIRING.replace("REQUIRED", one), name=two)

    crm = started(one, two, spoil=spoil)
    assert names(crm) == ["crm"]
    assert "It requires itself" in reason(crm, min(one, two))


def test_a_plugin_whose_distribution_is_gone_is_told(started: Callable[..., Crm], site: Any) -> None:
    name = site.add()
    crm = started(name, spoil=lambda: (site.folder / f"gigacore_{name}-1.2.dist-info/entry_points.txt").write_text(""))
    assert reason(crm, name) == "Its distribution is not installed."


def test_another_major_level_is_known_before_the_import(make_crm: Callable[..., Crm], site: Any) -> None:
    name = site.add("raise RuntimeError('imported')", group="gigacore.plugins.v2")
    crm = make_crm().start()
    with pytest.raises(PluginError, match="made for plugin API 2"):
        crm.plugins.enable(name)


def test_two_distributions_that_offer_one_name_are_refused(make_crm: Callable[..., Crm], site: Any) -> None:
    name = site.add()
    site.describe(name, "gigacore-evil-twin")
    with pytest.raises(PluginError, match="Two distributions offer it: gigacore-evil-twin, gigacore-"):
        make_crm().start().plugins.enable(name)


def test_a_name_that_is_anothers_prefix_is_refused(make_crm: Callable[..., Crm], site: Any) -> None:
    name = site.add()
    site.add(name=f"{name}_more")
    with pytest.raises(PluginError, match=f"Its name and {name}_more cannot be told apart"):
        make_crm().start().plugins.enable(name)


def test_a_hook_that_does_not_exist_keeps_the_plugin_out(make_crm: Callable[..., Crm], site: Any) -> None:
    hooks = "from gigacore import hookimpl\n@hookimpl\ndef before_seve(record): ...\n"
    name = site.add(hooks=hooks)
    with pytest.raises(PluginError, match="before_seve"):
        make_crm().start().plugins.enable(name)


def test_strict_mode_names_the_plugin_that_leaves_the_program(started: Callable[..., Crm], site: Any) -> None:
    bad = site.add()
    with pytest.raises(PluginError, match=f"{bad} cannot run: SystemExit: 3"):
        started(bad, spoil=lambda: site.add("raise SystemExit(3)", name=bad), strict=True)


def test_strict_mode_raises_the_first_fault(started: Callable[..., Crm], site: Any) -> None:
    bad = site.add()
    with pytest.raises(ZeroDivisionError):
        started(bad, spoil=lambda: site.add("1 / 0", name=bad), strict=True)


def test_safe_mode_starts_with_the_built_in_plugins_only(started: Callable[..., Crm], site: Any) -> None:
    name = site.add()
    crm = started(name, safe_mode=True)
    assert names(crm) == ["crm"]
    assert f"gigacore_{name}" not in sys.modules
    (status,) = (s for s in crm.plugins.list() if s.name == name)
    assert status.state is PluginState.ENABLED


def test_what_is_not_enabled_is_not_imported(started: Callable[..., Crm], site: Any) -> None:
    available, disabled = site.add(), site.add()
    crm = started(disabled)
    crm.plugins.disable(disabled)
    sys.modules.pop(f"gigacore_{disabled}")
    crm.start()
    assert not {f"gigacore_{available}", f"gigacore_{disabled}"} & set(sys.modules)
    states = {s.name: s.state for s in crm.plugins.list()}
    assert states[available] is PluginState.AVAILABLE
    assert states[disabled] is PluginState.DISABLED


def test_the_classes_of_a_refused_plugin_disturb_nothing(started: Callable[..., Crm], site: Any) -> None:
    models = """
        from gigacore import Child, ChildMeta, Entity, EntityMeta, children, field, ref
        from sqlalchemy.orm import Mapped

        class Row(Child):
            __child__ = ChildMeta("{name}.row", "{name}.thing")
            text: Mapped[str] = field(max_length=10)

        class Thing(Entity):
            __entity__ = EntityMeta("{name}.thing", plural="things", title="name")
            name: Mapped[str] = field(max_length=10)
            other_id: Mapped[int | None] = ref("nowhere.thing", on_delete="restrict")
            lead_id: Mapped[int | None] = ref("crm.lead", on_delete="cascade")
            rows: Mapped[list[Row]] = children(Row)
        """
    broken = """
        from gigacore import Plugin
        from gigacore_{name}.models import Thing

        plugin = Plugin("{name}", requires=["crm"], entities=[Thing])
        """
    name = site.add()
    crm = started(name, spoil=lambda: site.add(broken, name=name, models=models))
    assert "It has tables but no migrations" in reason(crm, name)
    with crm.system("work goes on") as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Durand"})
    with crm.system("work goes on") as ctx:
        records.delete(ctx, "crm.lead", lead.id)
    assert crm.plugins.check() == {}
