"""The help of the command line is in the language of the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from gigacore.text import Catalogue
from host_app.cli import cli, main


def helps(command: click.Command) -> Iterator[str]:
    """The help of a command, of its options and of every command below it."""
    if command.help:
        yield command.help
    yield from (one.help for one in command.params if isinstance(one, click.Option) and one.help)
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


def test_every_help_has_its_french() -> None:
    french = Catalogue.load(["gigacore", "host_app"]).translator("fr")
    found = frozenset(helps(cli))
    assert len(found) > 60
    assert sorted(text for text in found if text not in french.texts and text != "Show the version and exit.") == []


def test_a_help_without_french_is_seen() -> None:
    assert list(helps(click.Command("x", help="Nobody translated this."))) == ["Nobody translated this."]


def test_a_command_run_in_french_leaves_the_commands_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before = frozenset(helps(cli))
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    monkeypatch.setattr("sys.argv", ["giga", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert frozenset(helps(cli)) == before
