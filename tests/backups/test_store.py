"""Files lie beside the backups once, whichever backups refer to them; what none refers to goes; one file holds all."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest

from gigacore import Crm, backups, records
from gigacore.backups import store
from gigacore.errors import Conflict, PluginError
from gigacore.files import service as files

pytestmark = pytest.mark.slow_on_postgres

CONTENT = os.urandom(200_000)


def attach(crm: Crm, content: bytes) -> str:
    """A file on a new lead; returns its uid."""
    with crm.system("a file") as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Durand"})
        stored = files.register(ctx, crm.storage.write_stream(io.BytesIO(content)), "map.bin")
        files.attach(ctx, stored.uid, "crm.lead", lead.id)
        return str(stored.uid)


def contents(folder: Path) -> list[Path]:
    return sorted((folder / store.FOLDER).glob("*/??/*"))


@pytest.mark.parametrize("encrypted", [False, True])
def test_each_content_lies_there_once_and_goes_with_its_last_backup(crm: Crm, encrypted: bool) -> None:
    folder = crm.settings.backups
    attach(crm, CONTENT)
    attach(crm, CONTENT)
    made = [backups.create(crm, encrypted=encrypted) for _ in range(3)]
    assert [(one.files, one.file_bytes) for one in made] == [(2, 400_000)] * 3
    (content,) = contents(folder)
    assert (CONTENT in content.read_bytes()) is not encrypted
    assert all(one.size < 200_000 for one in made)
    assert store.clear(folder, content.stat().st_mtime + 1) == 0
    for one in made:
        (folder / one.name).unlink()
        (folder / one.name).with_suffix(store.REFS).unlink()
    assert store.clear(folder, content.stat().st_mtime - 1) == 0, "a backup that begins may be about to name it"
    assert store.clear(folder, content.stat().st_mtime + 1) == 1


def test_the_control_a_backup_without_its_list_keeps_everything(crm: Crm) -> None:
    folder = crm.settings.backups
    attach(crm, CONTENT)
    made = backups.create(crm)
    (folder / made.name).with_suffix(store.REFS).unlink()
    (content,) = contents(folder)
    assert store.clear(folder, content.stat().st_mtime + 1) == 0
    assert backups.verify(crm, folder / made.name).state == "verified"


@pytest.mark.parametrize("encrypted", [False, True])
def test_exported_it_needs_no_store(crm: Crm, tmp_path: Path, encrypted: bool) -> None:
    attach(crm, CONTENT)
    folder = crm.settings.backups
    path = folder / backups.create(crm, encrypted=encrypted).name
    whole = backups.export(crm, path, tmp_path / "elsewhere" / "one.backup")
    shutil.rmtree(folder / store.FOLDER)
    with pytest.raises(PluginError, match="a file that it needs is not in"):
        backups.verify(crm, path)
    with pytest.raises(PluginError, match="a file that it needs is not in"):
        backups.restore(crm, path, replace=True, safety=False)
    assert backups.restore(crm, whole, replace=True, safety=False).files == 1
    with crm.system("look") as ctx:
        (found,) = files.of_record(ctx, "crm.lead", 1)
        assert b"".join(crm.storage.read_range(found.object_id)) == CONTENT


@pytest.mark.parametrize(("encrypted", "error"), [(False, PluginError), (True, Conflict)])
def test_a_content_that_was_changed_is_refused(crm: Crm, encrypted: bool, error: type[Exception]) -> None:
    attach(crm, CONTENT)
    path = crm.settings.backups / backups.create(crm, encrypted=encrypted).name
    (content,) = contents(crm.settings.backups)
    body = content.read_bytes()
    content.write_bytes(body[:500] + bytes([body[500] ^ 1]) + body[501:])
    for act in (backups.verify, lambda crm, path: backups.restore(crm, path, replace=True, safety=False)):
        with pytest.raises(error):
            act(crm, path)
    with crm.system("look") as ctx:
        assert len(files.of_record(ctx, "crm.lead", 1)) == 1
