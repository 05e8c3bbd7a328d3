"""One backup as one file that holds its files itself: to be carried elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gigacore.backups import writing
from gigacore.backups.catalogue import BACKUP
from gigacore.backups.frames import files, framed, store_of, told_missing
from gigacore.files import space
from gigacore.files.container import Container, new_container, open_container
from gigacore.files.sealed import Secrets, mode_of
from gigacore.files.storage import BLOCK

if TYPE_CHECKING:
    from gigacore.application import Crm


def export(crm: Crm, path: Path, target: Path, *, known: Secrets | None = None) -> Path:
    """Writes a backup with all its files into `target`, sealed with the same secret if it is; returns `target`.

    Raises NotFound, PluginError or Conflict for a backup that could not be restored, or without room; then there is no
    such file.
    """
    secrets = known or Secrets.of(crm.settings)
    with open_container(path, BACKUP, secrets) as opened:
        space.require(target.parent, path.stat().st_size + opened.manifest["files"]["bytes"])
        mode = mode_of(path)
        sealing = None if mode is None else secrets if mode == "passphrase" else Secrets(secrets.encryption_key)
        with space.told(), told_missing(opened), new_container(target, sealing) as writer:
            for name in opened.manifest["entries"]:
                with opened.open(name) as source:
                    writer.add(name, _whole(opened, source) if name == writing.FILES else _pieces(source))
            kept = {k: v for k, v in opened.manifest.items() if k not in ("format", "entries", "store")}
            writer.seal(kept, BACKUP.key(secrets.encryption_key))
    return target


def _whole(opened: Container, source: IO[bytes]) -> Iterator[bytes]:
    for one in files(source, store_of(opened)):
        yield from framed(one)


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(BLOCK):
        yield piece
