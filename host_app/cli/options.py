"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gigacore.files.sealed import Secrets
from host_app.installation import Installation

PASSPHRASE: Final = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with its passphrase.",
)


def secrets(installation: Installation, passphrase_file: Path | None) -> Secrets:
    """The installation's secrets, with the passphrase of a file if one is named."""
    known = installation.settings
    given = passphrase_file.read_text("utf-8").strip() if passphrase_file else known.backup_passphrase
    return Secrets(known.encryption_key, given)
