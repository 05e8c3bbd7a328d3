"""A plugin's archive: a container with its rows and files, in plain text or sealed.

A plain one is readable by its owner only; keep it as you keep a backup.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gigacore.errors import NotFound, PluginError
from gigacore.files.container import FORMAT, Container, ContainerWriter, Kind, new_container, open_container
from gigacore.files.sealed import Secrets
from gigacore.messages import Msg, msg
from gigacore.plugins.manifest import API_LEVEL

FOLDER: Final = "archives"


def _refused(path: Path, reason: Msg) -> PluginError:
    return PluginError(
        "core",
        msg("The archive {path} is refused: {reason}.", path=path.name, reason=reason),
        fix=msg("Nothing was changed. Use another copy of the archive, with the keys of its installation."),
    )


ARCHIVE: Final = Kind(b"gigacore plugin archive 1", _refused)


@contextmanager
def new_archive(
    folder: Path, plugin: str, now: datetime, sealing: Secrets | None = None
) -> Iterator[tuple[Path, ContainerWriter]]:
    """An archive to be written; it appears under its name when the block ends, and not at all if that raises.

    Only the one operation whose turn it is writes here, so that what is half written belongs to one that was killed.
    """
    for left in folder.glob("*.part"):
        left.unlink(missing_ok=True)
    path = folder / f"{plugin}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.zip"
    with new_container(path, sealing) as writer:
        yield path, writer


def newest(folder: Path, plugin: str) -> Path:
    """The latest archive of a plugin. Raises NotFound when there is none."""
    found = sorted(folder.glob(f"{plugin}-[0-9]*.zip"))
    if not found:
        raise NotFound(
            msg("There is no archive of plugin {name} in {folder}.", name=plugin, folder=folder),
            fix=msg("Name one with --archive, or run `giga plugin install {name}`.", name=plugin),
        )
    return found[-1]


@contextmanager
def open_archive(path: Path, known: Secrets) -> Iterator[Container]:
    """Opens an archive that is as it was written and of an API level that fits.

    Raises NotFound for a missing file, Conflict where its secret is missing or wrong, PluginError for any other.
    """
    with open_container(path, ARCHIVE, known) as opened:
        _check_level(path, opened.manifest)
        yield opened


def _check_level(path: Path, manifest: Mapping[str, Any]) -> None:
    major, _, minor = str(manifest["api"]).partition(".")
    level = (int(major), int(minor or 0))
    if manifest["format"] != FORMAT or level[0] != API_LEVEL[0] or level > API_LEVEL:
        raise PluginError(
            manifest["plugin"],
            msg(
                "The archive {path} is of plugin API {asked}, this gigacore offers {offered}.",
                path=path.name,
                asked=manifest["api"],
                offered="{}.{}".format(*API_LEVEL),
            ),
            fix=msg(
                "Nothing was changed. Install a gigacore that offers it, then run `giga plugin reinstall {plugin}"
                " --archive {path}`.",
                plugin=manifest["plugin"],
                path=path,
            ),
        )
