"""The command line `giga`: exit code 0 = done, 1 = failed with a reason, 2 = wrongly called."""

from __future__ import annotations

import sys
from copy import copy

import click
import sqlalchemy as sa

from gigacore.errors import GigaError
from gigacore.messages import Translate
from host_app.cli.authors import check_contract, new_plugin
from host_app.cli.backups import backup
from host_app.cli.celery import celery
from host_app.cli.database import db
from host_app.cli.demo import demo
from host_app.cli.exchange import export_records, import_records
from host_app.cli.health import doctor, verify
from host_app.cli.people import token, user
from host_app.cli.planning import plan
from host_app.cli.plugins import plugin
from host_app.cli.serving import serve, worker
from host_app.extensions import conventional
from host_app.installation import Installation, translator
from host_app.problems import describe

__all__ = ["cli", "main"]

FAILED = 1


class Commands(click.Group):
    """The host's own commands; `giga <plugin>` is the command that a running plugin brings in its `cli` module."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command called `name`."""
        return super().get_command(context, name) or self._of_plugin(context, name)

    def _of_plugin(self, context: click.Context, name: str) -> click.Command | None:
        installation = Installation(context.params.get("data_dir"), context.params.get("database_url"))
        try:
            running = {plugin.name: plugin for plugin in installation.crm.plugins.enabled}
            module = conventional(running[name], "cli") if name in running else None
        except (GigaError, sa.exc.OperationalError):
            return None
        finally:
            installation.close()
        return module.command if module is not None else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gigacore", prog_name="giga")
@click.option("--data-dir", type=click.Path(file_okay=False), help="Where files, keys and the SQLite database are.")
@click.option("--database-url", help="Another database, e.g. postgresql+psycopg://user@host/name.")
@click.option("--strict", is_flag=True, help="Let the first fault of a plugin end the command: for tests and CI.")
@click.pass_context
def cli(context: click.Context, data_dir: str | None, database_url: str | None, strict: bool) -> None:
    """Run and look after a CRM. Settings come from GIGA_* variables; options go before the command."""
    context.obj = Installation(data_dir, database_url, strict)
    context.call_on_close(context.obj.close)


for command in (
    backup, celery, db, demo, doctor, export_records, import_records, plan, plugin, serve, token, user, verify,
    worker,
):  # fmt: skip
    cli.add_command(command)
for of_authors in (new_plugin, check_contract):
    plugin.add_command(of_authors)


def _translated(command: click.Command, translate: Translate) -> click.Command:
    """A copy of a command and of everything below it with the help in the language of the terminal."""
    made = copy(command)
    for text in ("help", "short_help"):
        setattr(made, text, translate(getattr(command, text) or "") or None)
    made.params = [copy(parameter) for parameter in command.params]
    for parameter in made.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = translate(parameter.help)
    if isinstance(made, click.Group):
        made.commands = {name: _translated(below, translate) for name, below in made.commands.items()}
    return made


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(_run())


def _run() -> int:
    try:
        code = _translated(cli, translator()).main(prog_name="giga", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Aborted.", err=True)
        return FAILED
    except (GigaError, sa.exc.OperationalError) as error:
        for line in describe(error, translator()):
            click.echo(line, err=True)
        return FAILED
    return code if isinstance(code, int) else 0
