"""Typed settings of one installation, from the environment or a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Final

from gigacore.errors import ConfigurationError
from gigacore.messages import msg
from gigacore.values import dataclass

_PREFIX: Final = "GIGA_"
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"", "0", "false", "no", "off"})
_MIN_SECRET: Final = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation's settings; each is also an environment variable (`GIGA_DATABASE_URL`) or a TOML key.

    `data_dir` holds files, keys and, by default, the SQLite database. `outbound_allow` lists hosts or networks that
    the outbound client may reach although they are private. `backup_dir` is where backups lie, by default in
    `data_dir`; encrypted ones take `backup_passphrase` where there is one, else the encryption key.
    """

    data_dir: Path = Path("data")
    database_url: str = ""
    secret_key: str = field(default="", repr=False)
    encryption_key: str = field(default="", repr=False)
    public_url: str = ""
    redis_url: str = ""
    broker_url: str = ""
    broker_queue: str = "giga"
    log: str = "text"
    metrics_token: str = field(default="", repr=False)
    smtp_url: str = ""
    outbound_allow: tuple[str, ...] = ()
    safe_mode: bool = False
    strict: bool = False
    trusted_proxies: int = 0
    backup_dir: str = ""
    backup_passphrase: str = field(default="", repr=False)

    @property
    def backups(self) -> Path:
        """Where backups lie: `backup_dir`, or a folder of `data_dir`."""
        return Path(self.backup_dir) if self.backup_dir else self.data_dir / "backups"

    @property
    def effective_database_url(self) -> str:
        """`database_url`, or an SQLite file in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'giga.sqlite3'}"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read `GIGA_*`; `GIGA_CONFIG` names a TOML file whose values the environment overrides.

        Raises ConfigurationError for an unreadable file, an unknown key or a value of the wrong type.
        """
        raw: dict[str, object] = {}
        if path := environ.get(_PREFIX + "CONFIG"):
            raw.update(_read_toml(Path(path)))
        known = {f.name for f in fields(cls)}
        raw |= {key: environ[_PREFIX + key.upper()] for key in known if _PREFIX + key.upper() in environ}
        return cls.from_mapping(raw)

    @classmethod
    def from_mapping(cls, raw: Mapping[str, object]) -> Settings:
        """Settings from plain values. Raises ConfigurationError for an unknown key or a wrong type."""
        known = {f.name: str(f.type) for f in fields(cls)}
        unknown = sorted(set(raw) - set(known))
        if unknown:
            raise ConfigurationError(
                msg("Unknown setting: {name}.", name=unknown[0]),
                fix=msg("Known settings are: {names}.", names=", ".join(sorted(known))),
            )
        return cls(**{name: _convert(name, known[name], value) for name, value in raw.items()})  # type: ignore[arg-type]

    def check_secrets(self) -> None:
        """Refuse weak, missing or shared keys. Raises ConfigurationError."""
        for name, value in (("GIGA_SECRET_KEY", self.secret_key), ("GIGA_ENCRYPTION_KEY", self.encryption_key)):
            if len(value) < _MIN_SECRET or len(set(value)) < 10:
                raise ConfigurationError(
                    msg("{name} is missing or too weak.", name=name),
                    fix=msg("Set it to at least {count} random characters.", count=_MIN_SECRET),
                )
        if self.secret_key == self.encryption_key:
            raise ConfigurationError(
                msg("GIGA_SECRET_KEY and GIGA_ENCRYPTION_KEY are the same."),
                fix=msg("Use two different random values."),
            )


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            msg("The configuration file {path} cannot be read: {error}.", path=path, error=error)
        ) from error


def _convert(name: str, kind: str, value: object) -> object:
    if kind == "bool":
        return value if isinstance(value, bool) else _flag(name, str(value))
    if kind == "int":
        return _number(name, str(value))
    if kind.startswith("tuple"):
        items = value if isinstance(value, list) else str(value).split(",")
        return tuple(str(item).strip() for item in items if str(item).strip())
    return Path(str(value)) if kind == "Path" else str(value)


def _flag(name: str, value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ConfigurationError(msg("Setting {name} must be yes or no, not {value}.", name=name, value=value))


def _number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ConfigurationError(
            msg("Setting {name} must be a whole number, not {value}.", name=name, value=value)
        ) from None
