"""`giga import` and `giga export`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import click

from gigacore import Crm
from gigacore.access import users
from gigacore.context import Actor
from gigacore.errors import NotFound
from gigacore.exchange import imports
from gigacore.exchange.export import Wording, as_csv, prepare
from gigacore.exchange.export_job import XLSX
from gigacore.exchange.imports import Import
from gigacore.exchange.rows import summed
from gigacore.exchange.workbook import export_xlsx
from gigacore.messages import msg
from gigacore.records import ListRequest
from gigacore.text import Catalogue
from host_app.installation import Installation, pass_installation, tell, translator

FAILED: Final = 1
SHOWN: Final = 20


@click.command("import")
@click.argument("entity")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--user", "email", help="On whose behalf; left out: the first Super Admin.")
@click.option("--map", "pairs", multiple=True, metavar="COLUMN=FIELD", help="Where a column goes; FIELD may be empty.")
@click.option("--key", help="The column that identifies a row.")
@click.option("--update", is_flag=True, help="Change records that are there already instead of leaving them alone.")
@pass_installation
def import_records(
    installation: Installation,
    entity: str,
    file: Path,
    email: str | None,
    pairs: tuple[str, ...],
    key: str | None,
    update: bool,
) -> int:
    """Import FILE (CSV, or an Excel workbook) into ENTITY (crm.lead); a file imported twice adds nothing new."""
    crm = installation.crm
    actor = acting(crm, email)
    with file.open("rb") as stream:
        found = imports.stage(crm, actor, entity, stream, file.name)
    wanted = dict(found.mapping) | _pairs(pairs)
    options = {"duplicates": "update" if update else "skip"} | ({"key": key} if key else {})
    imports.configure(crm, actor, found.id, mapping=wanted, options=options)
    return _report(crm, actor, imports.run(crm, actor, found.id))


@click.command("export")
@click.argument("entity")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file; left out: the terminal.")
@click.option("--user", "email", help="On whose behalf; left out: the first Super Admin.")
@click.option("--filter", "tree", help="A filter tree as JSON; left out: every record.")
@click.option("--fields", help="Field names separated by commas; left out: every field.")
@click.option("--lang", default="en", show_default=True, help="The language of the headings.")
@click.option("--format", "kind", type=click.Choice(["csv", XLSX]), default="csv", show_default=True)
@pass_installation
def export_records(
    installation: Installation, entity: str, output: Path | None, email: str | None, tree: str | None,
    fields: str | None, lang: str, kind: str,
) -> None:  # fmt: skip
    """Export ENTITY (crm.lead) as CSV or as an Excel workbook, which `giga import` takes back."""
    crm = installation.crm
    request = ListRequest(filter=_tree(tree), fields=tuple(fields.split(",")) if fields else None)
    wording = Wording(Catalogue.load(("gigacore", "host_app", *_packages(crm))).translator(lang), lang)
    with crm.read(acting(crm, email)) as ctx, click.open_file(str(output or "-"), "wb") as target:
        if kind == XLSX:
            with export_xlsx(ctx, entity, request, wording=wording) as book:
                shutil.copyfileobj(book, target)
        else:
            target.writelines(as_csv(prepare(ctx, entity, request, wording), ","))


def _tree(text: str | None) -> object:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--filter") from error


def _packages(crm: Crm) -> list[str]:
    return [plugin.package for plugin in crm.plugins.enabled if plugin.package]


def acting(crm: Crm, email: str | None) -> Actor:
    """The person on whose behalf a command works. Raises NotFound."""
    with crm.system("giga: who acts") as ctx:
        if email is not None:
            return crm.actor(users.find(ctx, email).id)
        for one in sorted(users.all_users(ctx), key=lambda user: user.id):
            if one.active and "super_admin" in one.roles:
                return crm.actor(one.id)
    raise NotFound(
        msg("There is no Super Admin on whose behalf to work."),
        fix=msg("Create one: giga user create --email ... --name ... --role super_admin"),
    )


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r}: COLUMN=FIELD", param_hint="--map")
    return {column: field for column, _, field in (pair.rpartition("=") for pair in given)}


def _report(crm: Crm, actor: Actor, found: Import) -> int:
    for heading in found.ignored:
        tell(msg("Column {name} was left out.", name=heading))
    with crm.read(actor) as ctx:
        for row, error in imports.errors(ctx, found.id, SHOWN, refused=True):
            reason = error.message.render(translator())
            tell(msg("Row {row}, {column}: {reason}", row=row, column=error.column, reason=reason))
        for text in summed(one for _, one in imports.errors(ctx, found.id, refused=False)):
            tell(text)
    tell(
        msg(
            "Created {created}, updated {updated}, left alone {skipped}, refused {failed}.",
            created=found.created,
            updated=found.updated,
            skipped=found.skipped,
            failed=found.failed,
        )
    )
    return FAILED if found.failed or found.state != imports.DONE else 0
