"""Databases for tests: built once per run with every migration applied, then copied for each test."""

from __future__ import annotations

import os
import shutil
from dataclasses import field
from pathlib import Path
from typing import Final, Protocol

import sqlalchemy as sa

from gigacore import Crm
from gigacore.settings import Settings
from gigacore.values import dataclass

SECRET: Final = "a-secret-for-tests-0123456789-abcdef"  # noqa: S105 - guards nothing
ENCRYPTION: Final = "another-key-for-tests-9876543210-fedcba"
BESIDE: Final = ("", "-wal")
FILE_COPY_SINCE: Final = (15,)  # before, there was no other way; the one through the log takes half as long again


class Databases(Protocol):
    """A source of databases on one engine."""

    def empty(self) -> str:
        """The URL of a database without any table."""

    def ready(self) -> str:
        """The URL of a database with the tables and first rows of the core and of the built-in plugins."""

    def copy(self, url: str) -> str:
        """The URL of a copy of a database that nobody uses meanwhile."""

    def drop(self, url: str) -> None:
        """Throws a database away."""

    def close(self) -> None:
        """Throws everything away."""


@dataclass(slots=True)
class SqliteDatabases:
    """Files in one folder."""

    folder: Path
    _made: int = 0
    _template: str | None = None

    def empty(self) -> str:
        """The URL of a new file."""
        self._made += 1
        return f"sqlite:///{self.folder / f'test-{self._made}.sqlite3'}"

    def ready(self) -> str:
        """The URL of a copy of the template."""
        if self._template is None:
            url = self.empty()
            prepare(url)
            self._template = url
        return self.copy(self._template)

    def copy(self, url: str) -> str:
        """The URL of a copy of the file, with what SQLite keeps beside it."""
        made = self.empty()
        for suffix in BESIDE:
            if (kept := Path(f"{_path(url)}{suffix}")).exists():
                shutil.copyfile(kept, f"{_path(made)}{suffix}")
        return made

    def drop(self, url: str) -> None:
        """Removes the file and what SQLite keeps beside it."""
        for suffix in (*BESIDE, "-shm"):
            Path(f"{_path(url)}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing more to do: the folder is pytest's."""


@dataclass(slots=True)
class PostgresDatabases:
    """Databases beside the one that `server` names, which is not touched itself."""

    server: str
    _made: int = 0
    _template: str | None = None
    _open: list[str] = field(default_factory=list)
    _engine: sa.Engine = field(init=False)

    def __post_init__(self) -> None:
        # A connection each time, for tests fork; but what the server is like is asked once.
        self._engine = sa.create_engine(self.server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def empty(self) -> str:
        """The URL of a new database."""
        return self._create("template0")

    def ready(self) -> str:
        """The URL of a copy of the template."""
        if self._template is None:
            url = self.empty()
            prepare(url)
            self._template = url
        return self.copy(self._template)

    def copy(self, url: str) -> str:
        """The URL of a new database with what the other one holds."""
        return self._create(_name(url))

    def drop(self, url: str) -> None:
        """Drops the database, cutting connections that a failed test left open."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')
        self._open.remove(url)

    def close(self) -> None:
        """Drops whatever is left."""
        for url in list(self._open):
            self.drop(url)

    def _create(self, template: str) -> str:
        self._made += 1
        base = sa.make_url(self.server)
        url = base.set(database=f"{base.database}_t{os.getpid()}_{self._made}")
        with self._engine.connect() as connection:
            how = "STRATEGY FILE_COPY" if (connection.dialect.server_version_info or ()) >= FILE_COPY_SINCE else ""
            connection.exec_driver_sql(f'CREATE DATABASE "{url.database}" TEMPLATE "{template}" {how}')
        text = url.render_as_string(hide_password=False)
        self._open.append(text)
        return text


def settings(url: str, data_dir: Path = Path("data")) -> Settings:
    """Strict settings for a test database: whatever a plugin does wrong is raised."""
    return Settings(database_url=url, data_dir=data_dir, secret_key=SECRET, encryption_key=ENCRYPTION, strict=True)


def prepare(url: str) -> None:
    """Applies every migration of the core and of the built-in plugins."""
    with Crm(settings(url), plugins=()) as crm:
        crm.upgrade()
    if url.startswith("sqlite"):
        _checkpoint(_path(url))


def _checkpoint(path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _name(url: str) -> str:
    name = sa.make_url(url).database
    assert name is not None
    return name
