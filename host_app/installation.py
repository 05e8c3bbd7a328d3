"""The installation that a command works on: settings, and one `Crm` opened when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

import click

from gigacore import Crm
from gigacore.messages import Msg, Translate
from gigacore.settings import Settings
from gigacore.text import Catalogue
from gigacore.values import dataclass
from host_app.keys import with_keys


@dataclass(slots=True)
class Installation:
    """What all commands share. Nothing is read or opened before a command asks."""

    data_dir: str | None = None
    database_url: str | None = None
    strict: bool = False
    _settings: Settings | None = field(default=None, init=False)
    _crm: Crm | None = field(default=None, init=False)
    _started: bool = field(default=False, init=False)

    def use_data_dir(self, data_dir: str | None) -> None:
        """Let a command's own option choose the folder; before anything was read."""
        self.data_dir = data_dir or self.data_dir

    @property
    def settings(self) -> Settings:
        """The settings, with the installation's keys. Raises ConfigurationError."""
        if self._settings is None:
            self._settings = with_keys(read_settings(self.data_dir, self.database_url, self.strict))
        return self._settings

    @property
    def unstarted(self) -> Crm:
        """The CRM, perhaps not started: for migrations."""
        if self._crm is None:
            self._crm = Crm(self.settings)
        return self._crm

    @property
    def crm(self) -> Crm:
        """The started CRM. Raises ConfigurationError if the database is not at the code's version."""
        crm = self.unstarted
        if not self._started:
            crm.start()
            self._started = True
        return crm

    def upgrade(self) -> Mapping[str, list[str]]:
        """Bring the database to the code's version; returns the applied revisions by owner."""
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        return self.unstarted.upgrade()

    def checked_settings(self) -> Settings:
        """The settings, after a start has shown that they work; nothing stays open. Raises ConfigurationError."""
        settings = self.crm.settings
        self.close()
        return settings

    def close(self) -> None:
        """Give back connections."""
        if self._crm is not None:
            self._crm.close()
        self._crm, self._started = None, False


pass_installation = click.make_pass_decorator(Installation)


def read_settings(data_dir: str | None, database_url: str | None, strict: bool = False) -> Settings:
    """The environment's settings, with the command line's on top."""
    settings = Settings.from_env(os.environ)
    if data_dir is not None:
        settings = replace(settings, data_dir=Path(data_dir))
    if database_url is not None:
        settings = replace(settings, database_url=database_url)
    return replace(settings, strict=True) if strict else settings


def translator() -> Translate:
    """Into the language of the terminal."""
    language = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "en")
    return Catalogue.load(("gigacore", "host_app")).translator(language[:2])


def tell(text: Msg | str) -> None:
    """One line for the person at the terminal, in the terminal's language."""
    click.echo(text.render(translator()) if isinstance(text, Msg) else text)
