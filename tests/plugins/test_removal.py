"""A plugin is taken out without a trace and comes back whole from its archive."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gigacore_lead_scoring import plugin as lead_scoring

from gigacore import Crm, NotFound, Plugin, PluginError, migrate, records
from gigacore.data import settings
from gigacore.data.tables import metadata
from gigacore.errors import Conflict, InTheWay
from gigacore.files import service as files
from gigacore.plugins import archive
from gigacore.plugins.footprint import OWNED
from gigacore.plugins.health import examine
from gigacore.plugins.plan import plan
from gigacore.plugins.reinstallation import reinstall
from gigacore.plugins.removal import uninstall
from gigacore.plugins.upgrading import upgrade
from gigacore.webhooks.tables import core_hook_newest, core_hook_source
from tests.files.forbidden import forbid
from tests.plugins.samples import CARDS, STOPS, TOURS, with_migrations
from tests.plugins.touring import LATER, contents, schema, use


@pytest.fixture(scope="module")
def migrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("migrations")


@pytest.fixture(scope="module")
def samples(migrations: Path) -> Mapping[str, Plugin]:
    return {one.name: one for one in with_migrations(migrations, TOURS, CARDS, STOPS)}


@pytest.fixture
def touring(make_crm: Callable[..., Crm], samples: Mapping[str, Plugin]) -> Crm:
    crm = make_crm(plugins=samples.values(), strict=True).start()
    crm.enable("tours")
    crm.enable("cards")
    return crm


def test_removed_and_brought_back_nothing_has_changed(touring: Crm, tmp_path: Path) -> None:
    made = use(touring)
    before = contents(touring)
    path = uninstall(touring, "tours")
    assert "tours.tour" not in touring.registry.entities
    for name in ("tours_tour", "tours_guest", "tours_lead_ext", "core_version_tours"):
        assert name not in schema(touring)
    left = contents(touring)
    (kept,) = left.pop("core_view")  # somebody's view of leads stays, and finds its column again
    assert "Wishes" in kept
    assert not {name: rows for name, rows in left.items() if any("tours." in row for row in rows)}
    with touring.system("look") as ctx:
        assert records.get(ctx, "cards.postcard", 1)["tour_id"] is None
        assert "x_tour" not in records.get(ctx, "crm.lead", made["lead"])
    shutil.rmtree(tmp_path / "files")
    found = reinstall(touring, "tours")
    assert (found.archive, found.left_out) == (path, 0)
    assert contents(touring) == before
    with touring.system("look") as ctx:
        tour = records.get(ctx, "tours.tour", made["second"])
        assert ([guest["name"] for guest in tour["guests"]], tour["x_guide"]) == (["Anne", "Zoé"], "Paul")
        (map_,) = files.of_record(ctx, "tours.tour", made["second"])
        assert b"".join(touring.storage.read_range(map_.object_id)) == b"a map of the sea"
        assert records.create(ctx, "tours.tour", {"title": "Next"}).id > made["last"]


def test_its_sources_of_web_hooks_go_and_come_back(touring: Crm) -> None:
    made = use(touring)
    with touring.system("two sources") as ctx:
        for key in ("partners", "office"):
            touring.webhooks.add_source(ctx, key=key, name=key.title(), mapping={})
        of_tours = {"plugin": "tours", "user_id": made["user"]}
        here = core_hook_source.c.key == "partners"
        number = ctx.session.connection().scalar(
            sa.update(core_hook_source).where(here).values(**of_tours).returning(core_hook_source.c.id)
        )
        newest = {"source_id": number, "record_key": "tour-1", "version": "1", "message_id": 1}
        ctx.session.connection().execute(sa.insert(core_hook_newest).values(**newest))
    assert any("core_hook_source" in str(one.what) for one in plan(touring, "uninstall", "tours").data)
    before = contents(touring)["core_hook_source"]
    uninstall(touring, "tours")
    left = contents(touring)
    assert [row for row in left["core_hook_source"] if "Partners" in row] == []
    assert [row for row in left["core_hook_source"] if "Office" in row] != [], "an administrator's own stays"
    assert left["core_hook_newest"] == []
    assert reinstall(touring, "tours").left_out == 0
    assert contents(touring)["core_hook_source"] == before


def test_every_table_of_the_core_that_names_a_plugin_is_looked_at() -> None:
    looked = {owned.table.name for owned in OWNED} | {"core_plugin"}
    tables = [table for table in metadata.tables.values() if table.name.startswith("core_") and "plugin" in table.c]
    assert [table.name for table in tables if table.name not in looked] == []
    assert "core_hook_source" in {table.name for table in tables}


def test_the_schema_is_the_one_of_a_database_that_never_had_it(touring: Crm) -> None:
    touring.disable("cards")
    uninstall(touring, "cards")
    uninstall(touring, "tours")
    assert {name for name in schema(touring) if not name.startswith(("core_", "crm_"))} == set()
    before = schema(touring)
    touring.enable("tours")
    use_less(touring)
    uninstall(touring, "tours")
    assert schema(touring) == before


def use_less(crm: Crm) -> None:
    with crm.system("a tour") as ctx:
        records.create(ctx, "tours.tour", {"title": "One"})


def test_lead_scoring_comes_back_with_its_scores(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(plugins=[lead_scoring], strict=True).start()
    empty = schema(crm)
    crm.enable("lead_scoring")
    with crm.system("a lead") as ctx:
        settings.put(ctx, "lead_scoring.target_amount", 5000, plugin="lead_scoring")
        records.create(ctx, "crm.lead", {"last_name": "Durand", "company_name": "Nord"})
    crm.worker().run_pending()
    before = contents(crm)
    assert before["lead_scoring_lead_ext"]
    uninstall(crm, "lead_scoring")
    assert schema(crm) == empty
    reinstall(crm, "lead_scoring")
    assert contents(crm) == before


def test_it_is_removed_by_its_stored_manifest_when_its_code_is_gone(
    touring: Crm, make_crm: Callable[..., Crm], samples: Mapping[str, Plugin]
) -> None:
    use(touring)
    before = contents(touring)
    without = make_crm(plugins=[samples["cards"]]).start()
    uninstall(without, "tours")
    assert not [name for name in schema(without) if "tours" in name]
    touring.start()
    reinstall(touring, "tours")
    assert contents(touring) == before


def test_what_is_gone_meanwhile_is_left_out(touring: Crm) -> None:
    made = use(touring)
    uninstall(touring, "tours")
    with touring.system("the lead and the company go") as ctx:
        records.delete(ctx, "crm.lead", made["lead"])
        records.delete(ctx, "crm.company", made["company"])
    assert reinstall(touring, "tours").left_out > 0
    with touring.system("look") as ctx:
        assert records.get(ctx, "tours.tour", made["first"])["lead_id"] is None
        assert records.get(ctx, "tours.tour", made["second"])["company_id"] is None


def test_what_others_require_stays(touring: Crm) -> None:
    touring.enable("stops")
    before = contents(touring)
    with pytest.raises(Conflict, match=r"require it: stops.*giga plugin uninstall stops"):
        uninstall(touring, "tours")
    with pytest.raises(Conflict, match="part of the application"):
        uninstall(touring, "crm")
    with pytest.raises(NotFound, match="no installed plugin nowhere"):
        uninstall(touring, "nowhere")
    assert contents(touring) == before


def test_what_a_killed_removal_left_of_its_archive_goes_with_the_next(touring: Crm, tmp_path: Path) -> None:
    use_less(touring)
    (left := tmp_path / "archives/tours-20260101T000000Z-abcdef.part").parent.mkdir()
    left.write_bytes(b"rows in plain text")
    uninstall(touring, "tours")
    assert [path.suffix for path in left.parent.iterdir()] == [".zip"]


def test_a_full_disk_changes_nothing(touring: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_less(touring)
    before = contents(touring)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(1, 1, 0))  # type: ignore[attr-defined]
    with pytest.raises(Conflict, match="0 MB are free"):
        uninstall(touring, "tours")
    assert contents(touring) == before
    assert not list((tmp_path / "archives").glob("*"))


def test_a_folder_that_may_not_be_written_to_changes_nothing(
    touring: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(touring)
    before = contents(touring)
    forbid(monkeypatch, tmp_path / "archives")
    with pytest.raises(Conflict, match=r"Nothing can be kept in the folder .*archives: .*Let the user that runs this"):
        uninstall(touring, "tours")
    assert contents(touring) == before
    monkeypatch.undo()
    uninstall(touring, "tours")
    forbid(monkeypatch, tmp_path / "files")
    with pytest.raises(Conflict, match=r"Nothing can be kept in the folder .*files.*Let the user that runs this"):
        reinstall(touring, "tours")
    assert "tours_tour" not in schema(touring)


def test_a_disk_that_fills_up_meanwhile_changes_nothing(touring: Crm, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    use(touring)
    before, most = contents(touring), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most[1]))
    try:
        with pytest.raises(Conflict, match="The disk is full"):
            uninstall(touring, "tours")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert contents(touring) == before
    assert not list((tmp_path / "archives").glob("*"))


def changed(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as source:
        entries = {one: source.read(one) for one in source.namelist()}
    entries[name] = change(entries.get(name, b""))
    with zipfile.ZipFile(path, "w") as out:
        for one, body in entries.items():
            out.writestr(one, body)


TAMPERED: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("tables/tours_tour", lambda body: body.replace(b"One", b"Two"), "entry tables/tours_tour was changed"),
    ("manifest.json", lambda body: body.replace(b'"1.0"', b'"1.9"'), "its signature is not"),
    ("signature", lambda body: bytes(reversed(body)), "its signature is not"),
    ("core/core_user", lambda body: b"{}", "entries were added"),
]


def test_an_archive_that_was_tampered_with_is_refused(touring: Crm) -> None:
    use_less(touring)
    path = uninstall(touring, "tours")
    before, body = schema(touring), path.read_bytes()
    for name, change, reason in TAMPERED:
        path.write_bytes(body)
        changed(path, name, change)
        with pytest.raises(PluginError, match=reason):
            reinstall(touring, "tours")
    path.write_bytes(body[: len(body) // 2])
    with pytest.raises(PluginError, match="damaged, or not of this kind"):
        reinstall(touring, "tours")
    assert schema(touring) == before


def test_an_operation_that_waits_too_long_is_refused_in_words(touring: Crm) -> None:
    uninstall(touring, "cards")
    before = schema(touring)
    patience = "PRAGMA busy_timeout=300" if touring.engine.dialect.name == "sqlite" else "SET lock_timeout = '300ms'"
    sa.event.listen(touring.engine, "checkout", lambda raw, *_: (raw.execute(patience), raw.commit()))
    with migrate.operation(touring.engine), ThreadPoolExecutor(1) as pool:
        for act in (Crm.enable, uninstall, upgrade, reinstall):
            name = "cards" if act in (Crm.enable, reinstall) else "tours"
            with pytest.raises(Conflict, match=r"Another operation changes this database.*Run the command again"):
                pool.submit(act, touring, name).result()
    assert schema(touring) == before


def test_an_archive_crosses_engines_encrypted_and_back(
    touring: Crm, samples: Mapping[str, Plugin], sqlite_databases: Any, tmp_path: Path
) -> None:
    use(touring)
    with touring.system("look") as ctx:
        before = [records.get(ctx, "tours.tour", number) for number in (1, 2)]
    here = uninstall(touring, "tours", encrypted=True)
    assert "Île".encode() not in here.read_bytes()
    with Crm(replace(touring.settings, database_url=sqlite_databases.ready()), plugins=samples.values()) as other:
        other.start()
        with other.system("what they refer to") as ctx:  # elsewhere other records stand behind the references
            records.create(ctx, "crm.company", {"name": "Elsewhere"})
        assert reinstall(other, "tours", here).left_out > 0
        with other.system("look") as ctx:
            found = [records.get(ctx, "tours.tour", number) for number in (1, 2)]
        there = uninstall(other, "tours")
    reinstall(touring, "tours", there)
    with touring.system("look") as ctx:
        back = [records.get(ctx, "tours.tour", number) for number in (1, 2)]
    away = {"lead_id", "company_id", "owner_id", "created_by", "updated_by", "x_guide"}
    for one in (found, back):
        assert [{k: v for k, v in row.items() if k not in away} for row in one] == [
            {k: v for k, v in row.items() if k not in away} for row in before
        ]


def test_an_archive_with_a_passphrase_of_its_own_is_no_fault(
    make_crm: Callable[..., Crm], samples: Mapping[str, Plugin]
) -> None:
    crm = make_crm(plugins=samples.values()).start()
    crm.enable("tours")
    known = crm.settings
    crm.settings = replace(known, backup_passphrase="known to one only")
    path = uninstall(crm, "tours", encrypted=True)
    assert examine(crm) == []
    crm.settings = known
    (finding,) = examine(crm)
    assert not finding.serious
    assert f"The archive {path.name} was not looked at: The file is encrypted with a passphrase." == str(
        finding.message
    )
    assert f"giga plugin plan reinstall tours --archive {path} --passphrase-file FILE" in str(finding.fix)


def test_of_two_operations_at_once_one_is_refused_with_the_reason(touring: Crm) -> None:
    use_less(touring)

    def act() -> Exception | None:
        try:
            uninstall(touring, "tours")
        except Exception as error:  # noqa: BLE001 - it is looked at below
            return error
        return None

    with ThreadPoolExecutor(2) as pool:
        ends = [ended.result() for ended in [pool.submit(act), pool.submit(act)]]
    assert sorted(type(one).__name__ for one in ends) == ["NoneType", "NotFound"], ends
    assert not [name for name in schema(touring) if name.startswith("tours_")]


def test_a_missing_requirement_and_an_installed_plugin_refuse_the_archive(touring: Crm) -> None:
    touring.enable("stops")
    uninstall(touring, "stops")
    uninstall(touring, "tours")
    before = schema(touring)
    with pytest.raises(PluginError, match="It requires tours, which is not installed or not enabled"):
        reinstall(touring, "stops")
    assert schema(touring) == before
    reinstall(touring, "tours")
    with pytest.raises(Conflict, match="The plugin tours is installed"):
        reinstall(touring, "tours")
    with pytest.raises(PluginError, match="The archive is one of plugin stops"):
        reinstall(touring, "cards", next((touring.settings.data_dir / "archives").glob("stops-*")))


def test_an_archive_of_another_api_level_or_database_is_refused(touring: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    path = uninstall(touring, "tours")
    for level in ((0, 9), (2, 0)):
        monkeypatch.setattr(archive, "API_LEVEL", level)
        with pytest.raises(
            PluginError,
            match=r"is of plugin API 1\.0, .* a gigacore that offers it, then run `giga .* --archive /",
        ):
            reinstall(touring, "tours", path)
    monkeypatch.undo()
    reinstall(touring, "tours", path)


def test_what_a_disabled_or_missing_plugin_refers_to_cannot_be_deleted(
    touring: Crm, make_crm: Callable[..., Crm], samples: Mapping[str, Plugin]
) -> None:
    made = use(touring)
    touring.disable("tours")
    for crm in (touring, make_crm(plugins=[samples["cards"]]).start()):
        with pytest.raises(InTheWay, match="1 tours of the plugin tours, which does not run"), crm.system("go") as ctx:
            records.delete(ctx, "crm.lead", made["lead"])
    uninstall(touring, "tours")
    with touring.system("go") as ctx:
        records.delete(ctx, "crm.lead", made["lead"])


def test_a_plan_names_what_changes_and_changes_nothing(touring: Crm) -> None:
    use(touring)
    before = contents(touring), schema(touring)
    found = plan(touring, "uninstall", "tours")
    said = {str(change.what) for _, changes in found.sections() for change in changes}
    assert said >= {
        "table tours_tour",
        "2 rows of tours_guest",
        "1 files",
        "1 rows of core_share",
        "1 references in cards_postcard.tour_id are emptied",
        "values of the custom field x_tour of crm.lead",
        "role user: export tours.tour (own)",
        "/api/v1/tours/tours",
        "setting tours.season",
    }
    coming = {str(change.what) for _, changes in plan(touring, "install", "stops").sections() for change in changes}
    assert coming >= {"migration stops_0001", "table stops_stop", "/stops/stops"}
    refused = plan(touring, "install", "tours").refusal
    assert refused is not None
    assert str(refused.fix) == "Run `giga plugin enable tours` or `giga plugin upgrade tours`."
    assert plan(touring, "disable", "tours").refusal is None
    assert (contents(touring), schema(touring)) == before


def test_an_upgrade_applies_new_migrations_and_keeps_an_archive(touring: Crm, migrations: Path) -> None:
    use_less(touring)
    folder = migrations / "tours" / "versions"
    (later := folder / "0002_later.py").write_text(LATER)
    try:
        assert [str(one.what) for one in plan(touring, "upgrade", "tours").schema] == ["migration tours_0002"]
        assert [finding.plugin for finding in examine(touring)] == ["tours"]
        done = upgrade(touring, "tours")
        assert done.revisions == ("tours_0002",)
        assert done.archive is not None
        assert examine(touring) == []
        uninstall(touring, "tours")
        reinstall(touring, "tours", done.archive)
        with touring.system("look") as ctx:
            assert records.get(ctx, "tours.tour", 1)["title"] == "One!"
    finally:
        later.unlink()
