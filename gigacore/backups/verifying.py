"""Looking whether a backup could be restored: every byte of it is read, and its receipt says what was found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gigacore.backups import catalogue, writing
from gigacore.backups.catalogue import BACKUP, Backup
from gigacore.backups.content import Tally
from gigacore.backups.frames import files, store_of, told_missing
from gigacore.errors import GigaError
from gigacore.files.container import Container, open_container
from gigacore.files.sealed import Secrets
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.application import Crm


def verify(crm: Crm, path: Path, *, known: Secrets | None = None, trusting: bool = False) -> Backup:
    """Reads a backup wholly: signature or seal, digests, rows, files; notes the result in its receipt.

    Raises NotFound, PluginError or Conflict for one that could not be restored.
    """
    receipt = catalogue.receipt_of(path)
    try:
        with open_container(path, BACKUP, known or Secrets.of(crm.settings), trusting=trusting) as opened:
            _check_receipt(path, receipt)
            for name in opened.manifest["rows"]:
                _check_rows(opened, name)
            _check_files(opened)
    except GigaError as error:
        if receipt is not None:
            catalogue.keep(path.parent, replace(receipt, state="damaged", error=str(error)))
        raise
    receipt = receipt or Backup(path.name, crm.clock.now(), size=path.stat().st_size)
    sound = replace(receipt, state="verified", verified_at=crm.clock.now(), error="")
    catalogue.keep(path.parent, sound)
    return sound


def _check_receipt(path: Path, receipt: Backup | None) -> None:
    if receipt is not None and receipt.sha256 and catalogue.digest(path) != receipt.sha256:
        raise BACKUP.refused(path, msg("it is not the file that its receipt describes"))


def _check_rows(opened: Container, name: str) -> None:
    tally = Tally()
    with opened.open(f"tables/{name}") as source:
        for line in source:
            tally.add(line)
    if (tally.count, tally.digest) != (opened.manifest["rows"][name], opened.manifest["digests"][name]):
        raise BACKUP.refused(opened.path, msg("rows of {name} are missing", name=name))


def _check_files(opened: Container) -> None:
    whole = 0
    with told_missing(opened), opened.open(writing.FILES) as source:
        for one in files(source, store_of(opened)):
            one.pass_over()
            whole += one.whole
    if whole != opened.manifest["files"]["count"]:
        raise BACKUP.refused(opened.path, msg("files are missing"))
