"""The help of the command line is in the language of the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gigacore.text import Catalogue
from host_app.cli import cli


def helps(command: click.Command) -> Iterator[str]:
    """The help of a command, of its options and of every command below it."""
    if command.help:
        yield command.help
    yield from (one.help for one in command.params if isinstance(one, click.Option) and one.help)
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


HELPS = frozenset(helps(cli))
"""Taken before any test calls a command, which puts its help into the language of the terminal."""


def test_every_help_has_its_french() -> None:
    french = Catalogue.load(["gigacore", "host_app"]).translator("fr")
    assert len(HELPS) > 60
    assert sorted(text for text in HELPS if text not in french.texts and text != "Show the version and exit.") == []


def test_a_help_without_french_is_seen() -> None:
    assert list(helps(click.Command("x", help="Nobody translated this."))) == ["Nobody translated this."]
