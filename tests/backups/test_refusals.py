"""Bad backups and bad moments: refused with the reason and the next command before anything changes."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gigacore import Crm, Plugin, backups, records
from gigacore.backups import catalogue, content, register
from gigacore.backups.catalogue import BACKUP, Backup
from gigacore.data import settings
from gigacore.errors import Conflict, GigaError, NotFound
from gigacore.files.container import new_container, open_container
from gigacore.files.sealed import Secrets
from tests.files.forbidden import forbid
from tests.plugins.samples import CARDS, TOURS, with_migrations

pytestmark = pytest.mark.slow_on_postgres

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def migrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("migrations")


@pytest.fixture(scope="module")
def samples(migrations: Path) -> Sequence[Plugin]:
    return with_migrations(migrations, TOURS, CARDS)


@pytest.fixture
def plugins(samples: Sequence[Plugin]) -> Sequence[Plugin]:
    return samples


def state(crm: Crm) -> dict[str, str]:
    """The digest of every table."""
    found = {}
    with content.snapshot(crm.engine) as connection:
        for owner in content.owners(connection):
            for name in owner.tables:
                tally = content.Tally()
                list(content.read(connection, content.table(connection, name, owner.kinds.get(name)), tally))
                found[name] = tally.digest
    return found


def add(crm: Crm, name: str) -> None:
    with crm.system("a company") as ctx:
        records.create(ctx, "crm.company", {"name": name})


def made(crm: Crm, **options: bool) -> Path:
    return crm.settings.backups / backups.create(crm, **options).name


def rewritten(path: Path, target: Path, change: Callable[[dict[str, object]], dict[str, object]]) -> Path:
    """A backup that is properly signed and says something else of itself."""
    known = Secrets("another-key-for-tests-9876543210-fedcba")
    with open_container(path, BACKUP, known) as source, new_container(target) as writer:
        for name in source.manifest["entries"]:
            with source.open(name) as entry:
                writer.add(name, [entry.read()])
        kept = {key: value for key, value in source.manifest.items() if key not in ("format", "entries")}
        writer.seal(change(kept), BACKUP.key(known.encryption_key))
    return target


def newer(manifest: dict[str, object]) -> dict[str, object]:
    owners = manifest["owners"]
    assert isinstance(owners, list)
    return manifest | {"owners": [owners[0] | {"revision": "core_9999"}, *owners[1:]]}


def within_data(path: Path) -> int:
    """A place in the packed bytes of the largest file of an archive: bytes between files may say nothing."""
    with zipfile.ZipFile(path) as opened:
        largest = max(opened.infolist(), key=lambda info: info.compress_size)
    return largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2


def test_a_bad_backup_is_refused_and_nothing_changes(crm: Crm, tmp_path: Path) -> None:
    add(crm, "Nord")
    plain, sealed = made(crm), made(crm, encrypted=True)
    body, dark = plain.read_bytes(), sealed.read_bytes()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = state(crm)

    def refused(content: bytes, reason: str, known: Secrets | None = None) -> None:
        path = elsewhere / "some.backup"
        path.write_bytes(content)
        with pytest.raises(GigaError, match=reason) as caught:
            backups.restore(crm, path, replace=True, known=known)
        assert caught.value.fix is not None
        assert state(crm) == before

    middle = within_data(plain)
    refused(body[: len(body) // 2], "damaged, or not of this kind")
    refused(body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :], "is refused")
    refused(dark[:-1], "changed or cut short")
    refused(dark[:9_000], "changed or cut short")
    refused(dark[:200] + bytes([dark[200] ^ 1]) + dark[201:], "changed or cut short")
    refused(dark, "with the key of another installation", Secrets("k" * 40))
    refused(body, "its signature is not this installation's", Secrets("k" * 40))
    refused(rewritten(plain, tmp_path / "newer.zip", newer).read_bytes(), "newer than the code.*core_9999")
    with pytest.raises(NotFound, match=r"There is no file .*Check its name and folder"):
        backups.restore(crm, elsewhere / "none.backup")
    with pytest.raises(Conflict, match=r"holds \d+ rows, which would go.*--replace"):
        backups.restore(crm, plain)
    assert state(crm) == before
    assert backups.restore(crm, plain, replace=True, safety=False).rows > 0


def test_a_passphrase_opens_it_and_no_other(crm: Crm, tmp_path: Path) -> None:
    add(crm, "Nord")
    crm.settings = replace(crm.settings, backup_passphrase="correct horse")
    path = made(crm, encrypted=True)
    assert b"Nord" not in path.read_bytes()
    assert catalogue.listing(crm.settings.backups)[0].sealed == "passphrase"
    for wrong in ("wrong horse", ""):
        with pytest.raises(Conflict, match="passphrase"):
            backups.verify(crm, path, known=Secrets("x" * 40, wrong))
    assert backups.verify(crm, path, known=Secrets("x" * 40, "correct horse")).state == "verified"


def test_no_room_no_backup_and_no_restore(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    path, before = made(crm), state(crm)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(1, 1, 0))  # type: ignore[attr-defined]
    with pytest.raises(Conflict, match="0 MB are free"):
        backups.restore(crm, path, replace=True)
    with pytest.raises(Conflict, match="0 MB are free"):
        backups.create(crm)
    assert state(crm) == before
    newest, *_ = catalogue.listing(crm.settings.backups)
    assert newest.state == "failed"
    assert "0 MB are free" in newest.error


def test_where_nothing_may_be_written_no_backup_is_made_and_it_is_said(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(crm)
    forbid(monkeypatch, crm.settings.backups)
    with pytest.raises(Conflict, match=r"Nothing can be kept in the folder .*backups: .*Let the user that runs this"):
        backups.create(crm)
    assert state(crm) == before
    assert list(catalogue.listing(crm.settings.backups)) == []


@pytest.mark.parametrize("wished", [True, False])
def test_the_safety_backup_is_encrypted_where_backups_are(crm: Crm, wished: bool) -> None:
    with crm.system("settings") as ctx:
        settings.put(ctx, "core.backup_encrypt", wished)
    done = backups.restore(crm, made(crm), replace=True)
    assert done.safety is not None
    assert [one.sealed for one in catalogue.listing(crm.settings.backups) if one.name == done.safety.name] == [
        "key" if wished else ""
    ]


def test_over_an_installation_a_safety_backup_is_kept(crm: Crm) -> None:
    add(crm, "Nord")
    path = made(crm)
    add(crm, "Sud")
    before = state(crm)
    done = backups.restore(crm, path, replace=True)
    assert done.safety is not None
    assert state(crm)["crm_company"] != before["crm_company"]
    backups.restore(crm, done.safety, replace=True, safety=False)
    assert state(crm)["crm_company"] == before["crm_company"]


def test_a_plugin_whose_code_is_gone_comes_back_with_its_tables(crm: Crm, samples: Sequence[Plugin]) -> None:
    with crm.system("a tour") as ctx:
        records.create(ctx, "tours.tour", {"title": "Kept", "guests": [{"name": "Zoé"}]})
    before, path = state(crm), made(crm)
    with Crm(crm.settings, plugins=[]) as without:
        backups.restore(without, path, replace=True, safety=False)
    with Crm(crm.settings, plugins=samples) as again:
        again.start()
        assert {name: state(again)[name] for name in before if "tours" in name} == {
            name: digest for name, digest in before.items() if "tours" in name
        }
        assert again.plugins.check() == {}
        with again.system("look") as ctx:
            assert records.create(ctx, "tours.tour", {"title": "Next"}).id == 2


def test_old_ones_go_and_the_last_good_one_stays(tmp_path: Path) -> None:
    now = datetime(2026, 6, 30, tzinfo=UTC)
    for days in (40, 35, 31, 2):
        path = catalogue.new_path(tmp_path, now - timedelta(days=days))
        path.write_bytes(b"-")
        catalogue.keep(tmp_path, Backup(path.name, now - timedelta(days=days)))
    (tmp_path / "giga-20260628T000000Z-abcdef.part").write_bytes(b"-")
    assert len(catalogue.prune(tmp_path, 30, now)) == 4
    assert catalogue.prune(tmp_path, 1, now) == []
    assert [one.state for one in catalogue.listing(tmp_path)] == ["complete"]
    for name in ("../secret", "none.backup", "/etc/passwd"):
        with pytest.raises(NotFound):
            catalogue.named(tmp_path, name)


def test_a_register_that_was_changed_is_refused(crm: Crm) -> None:
    path = made(crm)
    beside = crm.settings.backups / register.NAME
    beside.write_bytes(b'{"uid": "x"}\n' + beside.read_bytes())
    with pytest.raises(Conflict, match="register"):
        backups.restore(crm, path, replace=True, safety=False)
