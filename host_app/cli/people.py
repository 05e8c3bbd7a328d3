"""`giga user` and `giga token`."""

from __future__ import annotations

import secrets
from datetime import timedelta

import click

from gigacore.access import tokens, users
from gigacore.messages import msg
from host_app.installation import Installation, pass_installation, tell


@click.group()
def user() -> None:
    """Manage the people who sign in."""


@user.command("create")
@click.option("--email", required=True, help="The address that the person signs in with.")
@click.option("--name", required=True, help="The person's name.")
@click.option(
    "--role", "roles", multiple=True, default=("user",), show_default=True, help="May be given several times."
)
@click.option("--password", help="Left out: one is made and printed.")
@pass_installation
def create_user(
    installation: Installation, email: str, name: str, roles: tuple[str, ...], password: str | None
) -> None:
    """Create a person; prints the password if none was given."""
    chosen = password or secrets.token_urlsafe(12)
    with installation.crm.system("giga user create") as ctx:
        users.create(ctx, email, name, chosen, roles)
    tell(msg("{email} can sign in.", email=email))
    if password is None:
        tell(msg("Password: {password}", password=chosen))


@click.group()
def token() -> None:
    """Manage API tokens."""


@token.command("create")
@click.option("--user", "email", required=True, help="The address of the person whose rights the token has.")
@click.option("--name", default="giga", show_default=True, help="What the token is for.")
@click.option("--scope", "scopes", multiple=True, help="Narrows the rights, e.g. crm.lead.view.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires; left out: never.")
@pass_installation
def create_token(installation: Installation, email: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Create an API token and print it; it is not shown again."""
    with installation.crm.system("giga token create") as ctx:
        owner = users.find(ctx, email)
        expires = ctx.now + timedelta(days=days) if days else None
        raw = tokens.create(ctx, owner.id, name, scopes=scopes or None, expires_at=expires)
    click.echo(raw)
