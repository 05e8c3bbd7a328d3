"""The promises that every plugin keeps; a plugin's tests inherit them.

::

    from gigacore.testing.contract import PluginContract
    from gigacore_visits import plugin

    class TestContract(PluginContract):
        plugin = plugin
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import sqlalchemy as sa

from gigacore import migrate, records
from gigacore.errors import GigaError
from gigacore.plugins import discover
from gigacore.plugins.histories import history_of
from gigacore.plugins.registration import fields, tables
from gigacore.plugins.reinstallation import reinstall
from gigacore.plugins.removal import uninstall
from gigacore.testing.samples import sample

if TYPE_CHECKING:
    from gigacore import Actor, Context, Crm, Plugin

SHOWN = ("label", "definition", "help")
QUIET_IMPORT = """
import sys, threading
sys.addaudithook(lambda event, _: event in ("socket.connect", "subprocess.Popen") and sys.exit(f"{event} at import"))
__import__(sys.argv[1])
sys.exit("a thread was started at import" if threading.active_count() > 1 else 0)
"""


def required(plugin: Plugin) -> list[Plugin]:
    """The plugins that `plugin` requires, themselves after what they require; the built-in ones are there anyway."""
    offered = {candidate.name: candidate for candidate in discover()}
    found: dict[str, Plugin] = {}
    for name in plugin.requires:
        if name in offered:
            one = offered[name].load()
            found |= {other.name: other for other in (*required(one), one)}
    return list(found.values())


class PluginContract:
    """What holds for every plugin: schema, life cycle, records, rights, texts, import.

    `inputs` gives an entity's input where a generated one does not satisfy the plugin's own rules.
    """

    plugin: ClassVar[Plugin]
    inputs: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @pytest.fixture
    def plugins(self) -> Sequence[Plugin]:
        """The plugin under test runs beside the built-in ones and the installed ones that it requires."""
        return [*required(self.plugin), self.plugin]

    def test_migrations_go_up_down_and_up_again(self, crm: Crm) -> None:
        """Down leaves none of the plugin's tables, up brings them all back."""
        history = history_of(crm.plugins.loaded[self.plugin.name])
        for step in (migrate.downgrade, migrate.upgrade):
            with migrate.operation(crm.engine) as connection:
                step(connection, history)
                present = set(sa.inspect(connection).get_table_names())
            assert present & history.tables == (history.tables if step is migrate.upgrade else set())

    def test_tables_fit_their_declarations(self, crm: Crm) -> None:
        """Nobody forgot a migration."""
        assert crm.plugins.check() == {}

    def test_disabling_leaves_the_application_as_it_was(self, crm: Crm) -> None:
        """Neither entities nor fields of the plugin are left, and enabling brings them back."""
        own = {spec.name for spec in fields(self.plugin)}
        with_plugin = _declared(crm)
        crm.disable(self.plugin.name)
        assert not {name for names in _declared(crm).values() for name in names if "." in name} & own
        assert not [name for name in _declared(crm) if name.startswith(f"{self.plugin.name}.")]
        crm.enable(self.plugin.name)
        assert _declared(crm) == with_plugin

    def test_uninstalled_and_reinstalled_it_has_what_it_had(self, crm: Crm, admin: Actor) -> None:
        """Uninstalling leaves no table, and the archive brings every row back. The built-in plugin stays."""
        if crm.plugins.candidates[self.plugin.name].builtin:
            return
        for name in self._entities():
            with crm.unit_of_work(admin) as ctx:
                records.create(ctx, name, self._input(ctx, name))
        before = _rows(crm, tables(self.plugin))
        uninstall(crm, self.plugin.name)
        with crm.engine.connect() as connection:
            assert not set(sa.inspect(connection).get_table_names()) & tables(self.plugin)
        assert reinstall(crm, self.plugin.name).left_out == 0
        assert _rows(crm, tables(self.plugin)) == before

    def test_records_are_created_read_and_deleted(self, crm: Crm, admin: Actor) -> None:
        """For every entity of the plugin, through the one write path."""
        for name in self._entities():
            with crm.unit_of_work(admin) as ctx:
                made = records.create(ctx, name, self._input(ctx, name))
            with crm.read(admin) as ctx:
                assert records.get(ctx, name, made.id)["id"] == made.id
            with crm.unit_of_work(admin) as ctx:
                records.delete(ctx, name, made.id)

    def test_without_a_right_nothing_is_seen_or_changed(
        self, crm: Crm, admin: Actor, make_user: Callable[..., Actor]
    ) -> None:
        """A person whose role allows nothing finds no record and creates none."""
        nobody = make_user(role=())
        for name in self._entities():
            with crm.unit_of_work(admin) as ctx:
                made = records.create(ctx, name, self._input(ctx, name))
            with pytest.raises(GigaError), crm.read(nobody) as ctx:
                records.get(ctx, name, made.id)
            with pytest.raises(GigaError), crm.unit_of_work(nobody) as ctx:
                records.create(ctx, name, {})

    def test_texts_are_translated(self, crm: Crm) -> None:
        """Every label that people read has a French text."""
        french = crm.catalogue.translator("fr")
        missing = sorted({text for text in self._texts() if text not in french.texts})
        assert not missing, f"translations/fr.po lacks: {missing}"

    def test_the_import_has_no_side_effects(self) -> None:
        """Importing the package connects to nothing and starts neither threads nor processes."""
        if self.plugin.package:
            found = subprocess.run(  # noqa: S603
                [sys.executable, "-c", QUIET_IMPORT, self.plugin.package], capture_output=True, text=True, check=False
            )
            assert (found.returncode, found.stdout) == (0, ""), found.stderr

    def test_tables_carry_the_plugins_name(self) -> None:
        """So that two plugins never meet in the database."""
        assert [name for name in tables(self.plugin) if not name.startswith(f"{self.plugin.name}_")] == []

    def _entities(self) -> list[str]:
        return [entity.__giga__.name for entity in self.plugin.entities]

    def _input(self, ctx: Context, name: str) -> Mapping[str, Any]:
        given = self.inputs.get(name)
        if given is not None:
            return given
        registry = ctx.session.registry
        return sample(registry, registry.entity(name), lambda entity, data: records.create(ctx, entity, data).id)

    def _texts(self) -> Iterator[str]:
        yield self.plugin.label
        for entity in self.plugin.entities:
            yield from (entity.__giga__.label, entity.__giga__.label_plural)
        for spec in fields(self.plugin):
            yield from (text for text in (spec.label, spec.help, *(label for _, label in spec.choices)) if text)
        for entry in self.plugin.choice_lists:
            yield from (entry.label, *(choice.label for choice in entry.choices))
        yield from (item.label for item in self.plugin.nav)
        yield from (tab.label for tab in self.plugin.tabs)
        yield from (panel.label for panel in self.plugin.panels)
        yield from (action.label for action in self.plugin.actions)
        for one in self.plugin.declares:
            yield from (text for name in SHOWN if isinstance(text := getattr(one, name, None), str) and text)


def _rows(crm: Crm, names: Collection[str]) -> dict[str, list[tuple[Any, ...]]]:
    with crm.database.system_connection("compare the tables of a plugin") as connection:
        found = {
            name: connection.execute(sa.select(sa.text("*")).select_from(sa.table(name))) for name in sorted(names)
        }
        return {name: sorted(map(tuple, rows), key=str) for name, rows in found.items()}


def _declared(crm: Crm) -> dict[str, tuple[str, ...]]:
    return {name: tuple(spec.fields) for name, spec in sorted(crm.registry.entities.items())}
