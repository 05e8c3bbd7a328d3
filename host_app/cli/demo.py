"""`giga demo`: a running CRM with believable data, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from gigacore import Crm
from gigacore.access import users
from gigacore.crm import demo as demo_data
from gigacore.messages import msg
from gigacore.plugins import PluginState
from gigacore.settings import Settings
from host_app import logs
from host_app.alone import alone
from host_app.cli.serving import require_free
from host_app.installation import Installation, pass_installation, tell
from host_app.server import Serving
from host_app.server import serve as run_server

UNFINISHED: Final = "demo-unfinished"
EMAIL: Final = "admin@example.test"
PASSWORD: Final = "giga-demo-2026"  # noqa: S105 - printed at each start, and the demo listens on loopback only


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--data-dir", type=click.Path(file_okay=False), help="Where the demo keeps its data.")
@click.option("--lang", type=click.Choice(["fr", "en"]), default="en", show_default=True, help="The demo's language.")
@click.option("--empty", is_flag=True, help="Without sample data.")
@pass_installation
def demo(installation: Installation, port: int, data_dir: str | None, lang: str, empty: bool) -> None:
    """Fill an SQLite database with believable data on the first start, and serve it on this machine."""
    installation.use_data_dir(data_dir)
    require_free("127.0.0.1", port)
    with alone(installation.settings):
        _serve(installation, port, lang, empty=empty)


def _serve(installation: Installation, port: int, lang: str, *, empty: bool) -> None:
    begun = installation.settings.data_dir / UNFINISHED
    if begun.exists():
        start_over(installation.settings)
    installation.upgrade()
    prepare(installation.crm, lang, begun, empty=empty)
    settings = installation.checked_settings()

    def ready() -> None:
        tell(msg("The CRM runs at {url}", url=f"http://127.0.0.1:{port}/"))
        tell(msg("Sign in as {email} with the password {password}", email=EMAIL, password=PASSWORD))
        tell(
            msg(
                "Two-factor sign-in is relaxed in this demo. Stop with Ctrl+C; the data stays in {path}.",
                path=settings.data_dir,
            )
        )

    logs.configure(settings)
    run_server(Serving(settings, "127.0.0.1", port, ready=ready))


def start_over(settings: Settings) -> None:
    """Throw away the database of a first start that was interrupted; nobody has worked in it yet."""
    if settings.database_url:
        return
    for suffix in ("", "-wal", "-shm"):
        Path(f"{settings.effective_database_url.removeprefix('sqlite:///')}{suffix}").unlink(missing_ok=True)


def prepare(crm: Crm, lang: str, begun: Path, *, empty: bool) -> None:
    """Create the administrator and the sample data, unless they are there from an earlier start.

    The file `begun` exists while this runs.
    """
    with crm.system("giga demo") as ctx:
        if users.all_users(ctx):
            return
        begun.touch()
        tell(msg("First start: preparing the database ..."))
        presenter = users.create(
            ctx, EMAIL, "Camille Martin", PASSWORD, "super_admin", locale=lang, timezone="Europe/Paris"
        )
    enable_installed(crm)
    if not empty:
        demo_data.fill(crm, lang, password=PASSWORD, presenter=presenter)
    begun.unlink()


def enable_installed(crm: Crm) -> None:
    """Switch on every plugin that is installed, those that others require first."""
    waiting = [one for one in crm.plugins.list() if one.state is PluginState.AVAILABLE]
    while ready := [one for one in waiting if not {other.name for other in waiting} & set(one.requires)]:
        for one in ready:
            crm.enable(one.name)
        waiting = [one for one in waiting if one not in ready]
