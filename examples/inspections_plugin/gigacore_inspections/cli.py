"""`giga inspections`: which machines are due."""

import click

from gigacore_inspections.services import due
from host_app.ext import Installation, pass_installation, tell


@click.command()
@pass_installation
def command(installation: Installation) -> None:
    """Name the machines that are due."""
    with installation.crm.system("list the machines that are due") as ctx:
        for machine in due(ctx):
            tell(machine["name"])
