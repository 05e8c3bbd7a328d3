"""`giga serve` and `giga worker`."""

from __future__ import annotations

import click

from gigacore.messages import msg
from host_app.cli.installation import Installation, pass_installation, tell
from host_app.server import Serving
from host_app.server import serve as run_server
from host_app.worker import run_until_stopped


@click.command()
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--threads", default=16, show_default=True, type=click.IntRange(2, 200))
@click.option("--worker/--no-worker", "embedded", default=True, help="Run jobs in the same process.")
@pass_installation
def serve(installation: Installation, address: str, port: int, threads: int, embedded: bool) -> None:
    """Serve pages and API; jobs run in the same process unless a `giga worker` does them."""
    installation.crm.check_schema()
    settings = installation.settings
    installation.close()

    def ready() -> None:
        tell(msg("Serving on http://{address}:{port}/ (stop with Ctrl+C).", address=address, port=port))

    run_server(Serving(settings, address, port, threads, embedded, ready))


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
@pass_installation
def worker(installation: Installation, once: bool) -> None:
    """Run jobs, schedules and event deliveries until stopped."""
    run_until_stopped(installation.crm, once=once)
