"""`giga serve` and `giga worker`."""

from __future__ import annotations

import socket
from dataclasses import replace

import click

from gigacore.errors import Unavailable
from gigacore.messages import msg
from gigacore.settings import Settings
from host_app import logs
from host_app.alone import alone
from host_app.installation import Installation, pass_installation, tell
from host_app.server import Dispatching, Serving
from host_app.server import serve as run_server
from host_app.worker import run_once, run_until_stopped


@click.command()
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--threads", default=16, show_default=True, type=click.IntRange(2, 200), help="Requests at a time.")
@click.option("--worker/--no-worker", "with_worker", default=True, help="Run jobs in the same process.")
@click.option(
    "--dispatcher",
    type=click.Choice(["embedded", "none", "celery"]),
    help="Who runs jobs: this process, a giga worker, or Celery; by default Celery where GIGA_BROKER_URL is set.",
)
@click.option(
    "--patience", default=5.0, show_default=True, type=click.FloatRange(0.1), help="Seconds to wait when all are busy."
)
@click.option(
    "--watchdog",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds until a plugin that hangs ends the process; 0: never.",
)
@pass_installation
def serve(
    installation: Installation,
    address: str,
    port: int,
    threads: int,
    with_worker: bool,
    dispatcher: Dispatching | None,
    patience: float,
    watchdog: float,
) -> None:
    """Serve pages and API; jobs run in the same process unless a `giga worker` does them."""
    require_free(address, port)
    settings = installation.checked_settings()
    logs.configure(settings)
    chosen = dispatcher or dispatching(settings, with_worker=with_worker)

    serving = Serving(settings, address, port, threads, chosen, patience, watchdog)

    def ready() -> None:
        tell(msg("Serving on {url} (stop with Ctrl+C).", url=f"http://{address}:{port}/"))
        if not serving.reached.public_url:
            tell(msg("Links in invitations and mails name no host: set GIGA_PUBLIC_URL to the address people use."))

    with alone(settings):
        run_server(replace(serving, ready=ready))


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
@pass_installation
def worker(installation: Installation, once: bool) -> None:
    """Run jobs, schedules and event deliveries until stopped."""
    logs.configure(installation.settings)
    if once:
        tell(msg("Steps done: {count}.", count=run_once(installation.crm)))
    else:
        run_until_stopped(installation.crm)


def dispatching(settings: Settings, *, with_worker: bool) -> Dispatching:
    """Who runs jobs when the command line does not say."""
    if settings.broker_url:
        return "celery"
    return "embedded" if with_worker else "none"


def require_free(address: str, port: int) -> None:
    """Raise Unavailable if another program listens there."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise Unavailable(
                msg(
                    "Port {port} of {address} cannot be used: {reason}.",
                    port=port,
                    address=address,
                    reason=error.strerror,
                ),
                fix=msg("Choose another one with --port."),
            ) from error
