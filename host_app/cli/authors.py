"""`giga plugin new` and `giga plugin check`: what authors of plugins need; no installation is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gigacore.messages import Msg, msg
from host_app.installation import tell, translator
from host_app.scaffold import Promise, Verdict, check_plugin, write_plugin

FAILED: Final = 1
OUTCOMES: Final = {"kept": msg("kept"), "broken": msg("BROKEN"), "not tried": msg("not tried")}
TITLES: Final = {
    "Migrations go up down and up again": msg("Migrations go up, down and up again"),
    "Tables fit their declarations": msg("Tables fit their declarations"),
    "Disabling leaves the application as it was": msg("Disabling leaves the application as it was"),
    "Uninstalled and reinstalled it has what it had": msg("Uninstalled and reinstalled, it has what it had"),
    "Records are created read and deleted": msg("Records are created, read and deleted"),
    "Without a right nothing is seen or changed": msg("Without a right nothing is seen or changed"),
    "Texts are translated": msg("Texts are translated"),
    "The import has no side effects": msg("The import has no side effects"),
    "Tables carry the plugins name": msg("Tables carry the plugin's name"),
}
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("new")
@click.argument("name")
@click.option("--path", "parent", type=FOLDER, default=".", help="Where its folder shall be; by default here.")
@click.option("--plural", default="", help="The word for many of its records, where no s makes it: equipment.")
def new_plugin(name: str, parent: Path, plural: str) -> None:
    """Write plugin NAME: one entity, its migration, French texts and a test that passes."""
    folder = write_plugin(name, parent, plural)
    tell(msg("Written: {path}", path=folder))
    tell(msg("Next:"))
    for command in (f"giga plugin check {folder}", f"pip install -e {folder}", f"giga plugin enable {_name(folder)}"):
        tell(f"  {command}")


@click.command("check")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check_contract(path: Path) -> int:
    """Try the contract of plugins on the one in folder PATH; exit code 1 if it breaks a promise."""
    verdict = check_plugin(path)
    for promise in verdict.promises:
        _report(promise)
    tell(_summary(verdict))
    if not verdict.kept and not any(promise.outcome == "broken" for promise in verdict.promises):
        tell(verdict.output)
    return 0 if verdict.kept else FAILED


def _report(promise: Promise) -> None:
    say = translator()
    sentence, engine = promise.title
    tell(f"{OUTCOMES[promise.outcome].render(say):10} {TITLES.get(sentence, Msg(sentence)).render(say)}{engine}")
    for line in promise.reason.splitlines():
        tell(f"{'':10}   {line}")


def _summary(verdict: Verdict) -> Msg:
    broken = sum(promise.outcome == "broken" for promise in verdict.promises)
    if verdict.kept:
        return msg("The plugin keeps its promises.")
    return msg("Promises broken: {count}.", count=broken) if broken else msg("The contract could not be tried.")


def _name(folder: Path) -> str:
    return folder.name.removeprefix("gigacore-").replace("-", "_")
