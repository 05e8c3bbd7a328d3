"""`giga vendors`: keep a secret."""

import click

from gigacore_vendors.config import keep_secret
from host_app.ext import Installation, pass_installation


@click.command()
@click.argument("name", type=click.Choice(["checkout_key", "checkout_signing", "chat_key"]))
@click.password_option("--secret", confirmation_prompt=False)
@pass_installation
def command(installation: Installation, name: str, secret: str) -> None:
    """Keep a secret of a vendor, sealed with the installation's key."""
    with installation.crm.system("keep a secret of a vendor") as ctx:
        keep_secret(installation.crm, ctx, name, secret)
