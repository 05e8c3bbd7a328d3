"""The installation's secret keys: made on the first start of a local installation, refused when weak."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Final

from gigacore.errors import ConfigurationError
from gigacore.messages import msg
from gigacore.settings import Settings

FILE: Final = "keys.json"
PLACEHOLDERS: Final = ("changeme", "change-me", "change_me", "example", "yoursecret", "your-secret", "your_secret")


def with_keys(settings: Settings) -> Settings:
    """`settings` with both keys: given ones are checked, missing ones read from `data_dir` or made there.

    Raises ConfigurationError for a weak, shared or placeholder key.
    """
    stored = {} if settings.secret_key and settings.encryption_key else _stored(settings.data_dir / FILE)
    settings = replace(
        settings,
        secret_key=settings.secret_key or stored["secret_key"],
        encryption_key=settings.encryption_key or stored["encryption_key"],
    )
    settings.check_secrets()
    for name in ("secret_key", "encryption_key"):
        _refuse_placeholder(name, getattr(settings, name))
    return settings


def derive(settings: Settings, purpose: str) -> bytes:
    """A key for one purpose, from the secret key."""
    return hmac.new(settings.secret_key.encode(), purpose.encode(), hashlib.sha256).digest()


def unwritable(folder: Path, error: OSError) -> ConfigurationError:
    """The error for a folder of the installation in which nothing can be kept."""
    return ConfigurationError(
        msg("Nothing can be kept in the folder {path}: {reason}.", path=folder, reason=error.strerror),
        fix=msg("Choose another one with --data-dir or GIGA_DATA_DIR, or let this user write to it."),
    )


def _refuse_placeholder(name: str, value: str) -> None:
    if any(word in value.lower() for word in PLACEHOLDERS):
        raise ConfigurationError(
            msg("GIGA_{name} is a placeholder out of a text.", name=name.upper()),
            fix=msg("Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"),
        )


def _stored(path: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return _make(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            msg("The key file {path} cannot be read: {error}.", path=path, error=error),
            fix=msg("Restore it from a backup; without it nobody stays signed in and stored secrets are lost."),
        ) from error
    return found


def _make(path: Path) -> dict[str, str]:
    made = {name: secrets.token_urlsafe(48) for name in ("secret_key", "encryption_key")}
    draft = path.with_name(f".{FILE}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(made, file)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    try:
        os.link(draft, path)
    except FileExistsError:  # another process of the same installation was first
        return _stored(path)
    finally:
        draft.unlink()
    return made
