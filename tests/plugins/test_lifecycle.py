"""A plugin comes and goes: its tables, choices and grants come with it, and disabling it leaves only data behind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from gigacore import (
    Choice,
    ChoiceList,
    Crm,
    Entity,
    EntityMeta,
    Extension,
    ExtensionMeta,
    Invalid,
    NotFound,
    Plugin,
    PluginError,
    RoleGrant,
    choice,
    field,
    records,
    ref,
)
from gigacore.context import Context
from gigacore.data import create_engine
from gigacore.entity import metadata
from gigacore.errors import ConfigurationError, Conflict
from gigacore.files.storage import LocalStorage
from gigacore.migrate import operation, write_revision
from gigacore.plugins import PluginState
from gigacore.plugins.plan import plan
from gigacore.plugins.removal import uninstall
from gigacore.ports import Storage


class Visit(Entity):
    __entity__ = EntityMeta("visits.visit", plural="visits", title="subject")

    subject: Mapped[str] = field(search=True, max_length=200)
    kind: Mapped[str | None] = choice("visits.kind")
    lead_id: Mapped[int | None] = ref("crm.lead", on_delete="set_null")


class LeadVisits(Extension):
    __extension__ = ExtensionMeta("visits", "crm.lead")

    planned: Mapped[int] = field(default=0)


class Report(Entity):
    __entity__ = EntityMeta("reports.report", plural="reports", title="name")

    name: Mapped[str] = field(max_length=50)
    visit_id: Mapped[int | None] = ref("visits.visit", on_delete="restrict")


KINDS = ChoiceList("visits.kind", "Kinds of visit", (Choice("demo", "Demonstration"), Choice("audit", "Audit")))


@pytest.fixture
def visits(tmp_path: Path) -> Plugin:
    plugin = Plugin(
        "visits",
        requires=["crm"],
        entities=[Visit],
        extensions=[LeadVisits],
        choice_lists=[KINDS],
        grants=[RoleGrant("user", "visits.visit", ("export",), "own")],
        migrations=tmp_path / "visits",
    )
    return with_migration(plugin)


@pytest.fixture
def reports(tmp_path: Path) -> Plugin:
    return with_migration(Plugin("reports", requires=["visits"], entities=[Report], migrations=tmp_path / "reports"))


def with_migration(plugin: Plugin) -> Plugin:
    crm = Crm(engine=create_engine("sqlite://"), plugins=[plugin])
    history = replace(crm.plugins.history("core"), owner=plugin.name, directory=plugin.migrations, tables=names(plugin))
    assert write_revision(history, metadata, create_engine("sqlite://"), "Tables") is not None
    return plugin


def names(plugin: Plugin) -> frozenset[str]:
    classes: list[Any] = [*plugin.entities, *plugin.extensions]
    return frozenset(c.__tablename__ for c in classes)


def tables(crm: Crm) -> set[str]:
    names = sa.inspect(crm.engine).get_table_names()
    return {n for n in names if n.startswith(("visits_", "core_version_")) and "_search" not in n}


def test_enabling_brings_tables_choices_and_grants_at_once(make_crm: Callable[..., Crm], visits: Plugin) -> None:
    crm = make_crm(plugins=[visits], strict=True).start()
    assert "visits.visit" not in crm.registry.entities
    crm.enable("visits")
    assert tables(crm) == {
        "visits_visit",
        "visits_lead_ext",
        "core_version_core",
        "core_version_crm",
        "core_version_visits",
    }
    assert crm.plugins.check() == {}
    with crm.system("a visit") as ctx:
        made = records.create(ctx, "visits.visit", {"subject": "Demo", "kind": "demo"})
        assert records.get(ctx, "visits.visit", made.id)["subject"] == "Demo"


def test_enabling_twice_changes_nothing_that_an_administrator_changed(
    make_crm: Callable[..., Crm], visits: Plugin
) -> None:
    crm = make_crm(plugins=[visits]).start()
    crm.enable("visits")
    with crm.database.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM core_grant WHERE plugin = 'visits'")) == 1
    with crm.database.begin() as connection:
        connection.execute(sa.text("UPDATE core_choice SET label = 'Show' WHERE key = 'demo'"))
        connection.execute(sa.text("DELETE FROM core_choice WHERE key = 'audit'"))
        connection.execute(sa.text("DELETE FROM core_grant WHERE plugin = 'visits'"))
    crm.disable("visits")
    crm.enable("visits")
    assert [(c.key, c.label) for c in crm.registry.choice_lists["visits.kind"].choices] == [("demo", "Show")]
    with crm.database.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM core_grant WHERE plugin = 'visits'")) == 0


def test_disabled_the_application_runs_as_if_it_had_never_been_there(
    make_crm: Callable[..., Crm], visits: Plugin
) -> None:
    crm = make_crm(plugins=[visits], strict=True).start()
    before = records_of(crm)
    crm.enable("visits")
    with crm.system("a visit") as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Durand"})
        records.create(ctx, "visits.visit", {"subject": "Demo", "lead_id": lead.id})
    crm.disable("visits")
    assert records_of(crm) == before
    with crm.system("the lead goes") as ctx:
        with pytest.raises(NotFound):
            records.get(ctx, "visits.visit", 1)
        records.update(ctx, "crm.lead", lead.id, {"first_name": "Anne"}, version=1)
    crm.enable("visits")
    with crm.system("the visit is back") as ctx:
        assert records.get(ctx, "visits.visit", 1)["subject"] == "Demo"


def records_of(crm: Crm) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, tuple(spec.fields)) for name, spec in sorted(crm.registry.entities.items())]


def test_a_required_plugin_is_enabled_first_and_disabled_last(
    make_crm: Callable[..., Crm], visits: Plugin, reports: Plugin
) -> None:
    crm = make_crm(plugins=[visits, reports]).start()
    with pytest.raises(
        PluginError,
        match=r"It requires visits, which is not installed or not enabled\. Run `giga plugin enable visits` first",
    ):
        crm.enable("reports")
    crm.enable("visits")
    crm.enable("reports")
    with pytest.raises(Conflict, match=r"These plugins require it: reports\. Run `giga plugin disable reports` first"):
        crm.disable("visits")
    crm.disable("reports")
    crm.disable("visits")
    assert [p.name for p in crm.plugins.enabled] == ["crm"]
    for refused in (Crm.disable, uninstall):
        with pytest.raises(Conflict, match=r"crm is part of the application\. It always runs.*`giga plugin list`"):
            refused(crm, "crm")
        with pytest.raises(NotFound, match=r"There is no installed plugin reports|See `giga plugin list`"):
            refused(crm, "nobody")


def test_what_is_refused_with_a_reason_is_said_once_and_not_in_the_log_too(
    make_crm: Callable[..., Crm], reports: Plugin, caplog: pytest.LogCaptureFixture
) -> None:
    crm = make_crm(plugins=[reports]).start()
    with caplog.at_level(logging.INFO, "gigacore.plugins"):
        with pytest.raises(PluginError, match="It requires visits"):
            crm.enable("reports")
        refused = plan(crm, "enable", "reports").refusal
        assert refused is not None
        assert "It requires visits" in str(refused.reason)
    assert caplog.text == ""


def test_the_history_of_a_plugin_is_found_before_what_it_requires_is_enabled(
    make_crm: Callable[..., Crm], visits: Plugin, reports: Plugin
) -> None:
    crm = make_crm(plugins=[visits, reports])
    assert crm.plugins.history("reports").tables == {"reports_report"}
    with pytest.raises(NotFound):
        make_crm(plugins=[reports]).plugins.history("reports")


def test_the_built_in_plugin_stays(make_crm: Callable[..., Crm]) -> None:
    with pytest.raises(Conflict, match="part of the application"):
        make_crm(plugins=[]).start().disable("crm")


def test_an_unknown_plugin_is_told_with_the_known_ones(make_crm: Callable[..., Crm]) -> None:
    with pytest.raises(NotFound, match="No installed distribution offers a plugin nowhere"):
        make_crm(plugins=[]).start().enable("nowhere")


def test_a_failing_migration_enables_nothing(make_crm: Callable[..., Crm], visits: Plugin) -> None:
    assert visits.migrations is not None
    (path,) = (visits.migrations / "versions").glob("0001*.py")
    path.write_text(path.read_text().replace("def downgrade", "    op.drop_table('nowhere')\n\n\ndef downgrade"))
    crm = make_crm(plugins=[visits]).start()
    with pytest.raises(sa.exc.DBAPIError):
        crm.enable("visits")
    assert tables(crm) == {"core_version_core", "core_version_crm"}
    assert crm.plugins.stored().keys() == {"crm"}


def test_tables_without_migrations_are_refused_with_the_next_step(
    make_crm: Callable[..., Crm], visits: Plugin, tmp_path: Path
) -> None:
    crm = make_crm(plugins=[replace(visits, migrations=tmp_path / "nowhere")]).start()
    with pytest.raises(PluginError, match="Write them with `giga db revision visits`"):
        crm.enable("visits")


def test_a_failing_install_disables_the_plugin_again(make_crm: Callable[..., Crm], visits: Plugin) -> None:
    def install(ctx: Context) -> None:
        records.create(ctx, "visits.visit", {"subject": "half"})
        raise Invalid("no")

    crm = make_crm(plugins=[replace(visits, install=install)]).start()
    with pytest.raises(Invalid):
        crm.enable("visits")
    (status,) = (s for s in crm.plugins.list() if s.name == "visits")
    assert status.state is PluginState.DISABLED
    crm.plugins.enable("visits")
    with crm.start().system("look") as ctx:
        assert records.page(ctx, "visits.visit", records.ListRequest()).items == []


def test_the_stored_manifest_outlives_the_code(make_crm: Callable[..., Crm], visits: Plugin) -> None:
    make_crm(plugins=[visits]).start().enable("visits")
    without = make_crm(plugins=[]).start()
    stored = without.plugins.stored()["visits"]
    assert stored.manifest["tables"] == ["visits_lead_ext", "visits_visit"]
    reference = {"table": "visits_visit", "column": "lead_id", "target": "crm.lead", "rule": "set_null"}
    assert any(reference.items() <= one.items() for one in stored.manifest["references"])
    assert stored.state == "quarantined"


def test_a_plugin_whose_tables_are_newer_than_its_code_is_kept_out(
    make_crm: Callable[..., Crm], visits: Plugin
) -> None:
    crm = make_crm(plugins=[visits]).start()
    crm.enable("visits")
    with operation(crm.engine) as connection:
        connection.execute(sa.text("UPDATE core_version_visits SET version_num = 'visits_0099'"))
    crm.start()
    (status,) = (s for s in crm.plugins.list() if s.name == "visits")
    assert "visits_0099" in str(status.reason)


def test_a_core_that_is_newer_than_the_code_stops_the_start(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(plugins=[]).start()
    with operation(crm.engine) as connection:
        connection.execute(sa.text("UPDATE core_version_core SET version_num = 'core_0099'"))
    for act in (crm.start, crm.upgrade):
        with pytest.raises(ConfigurationError, match=r"core_0099.*Install the version that wrote it"):
            act()


def test_an_empty_database_says_what_to_run(empty_database_url: str) -> None:
    crm = Crm(engine=create_engine(empty_database_url), plugins=[])
    with pytest.raises(ConfigurationError, match="giga db upgrade"):
        crm.start()
    crm.close()


def test_two_installations_in_one_process_do_not_meet(
    make_crm: Callable[..., Crm], empty_database_url: str, visits: Plugin
) -> None:
    one = make_crm(plugins=[visits]).start()
    one.enable("visits")
    with Crm(engine=create_engine(empty_database_url), plugins=[]) as two:
        two.upgrade()
        with one.system("only in one") as ctx:
            records.create(ctx, "crm.lead", {"last_name": "One"})
        with two.system("look") as ctx:
            assert records.page(ctx, "crm.lead", records.ListRequest()).items == []
        assert "visits.visit" in one.registry.entities
        assert "visits.visit" not in two.registry.entities
        assert "visits.planned" not in two.registry.entities["crm.lead"].fields


def test_what_a_plugin_provides_is_found_while_it_runs(make_crm: Callable[..., Crm], tmp_path: Path) -> None:
    own = LocalStorage(tmp_path / "own", "another-key-for-tests-9876543210-fedcba")
    crm = make_crm(plugins=[Plugin("vault", provides={Storage: own})]).start()
    assert crm.service(Storage) is None
    assert crm.storage is not own
    crm.enable("vault")
    assert crm.service(Storage) is own
    assert crm.storage is own
    crm.disable("vault")
    assert crm.services(Storage) == {}
