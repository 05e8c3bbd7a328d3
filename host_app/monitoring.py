"""What monitors ask: `/healthz` (the process lives), `/readyz` (it can work), `/metrics` (Prometheus)."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from gigacore import access, migrate, monitor
from gigacore.jobs import heartbeat, oversight
from gigacore.plugins.histories import core_history
from host_app import logs
from host_app.auth import current
from host_app.context import current_crm, host
from host_app.meter import metric
from host_app.routing import public_route

KEPT_SECONDS: Final = 5.0
LATE_SECONDS: Final = 60.0
NO_ACCOUNT: Final = "a monitor has no account"
KINDS: Final = (("api_", "api"), ("pages_", "page"), ("live", "live"), ("monitoring_", "monitor"))


def register(app: Flask) -> None:
    """Declare the routes, and measure every request."""
    public_route(app, "/healthz", reason=NO_ACCOUNT, endpoint="healthz")(healthz)
    public_route(app, "/readyz", reason=NO_ACCOUNT)(readyz)
    public_route(app, "/metrics", reason="it checks a token of its own, or the caller's right")(metrics)
    app.after_request(_measure)


def healthz() -> ResponseReturnValue:
    """200 as long as the process answers; what it depends on is a question for `/readyz`."""
    return {"status": "ok"}, 200


def readyz() -> ResponseReturnValue:
    """503 while the database is away or not at the code's version; with `?worker=1` also when no worker was seen."""
    found = _readiness()
    wanted = ("database", "migrations", *(("worker",) if "worker" in request.args else ()))
    ready = all(found[name] == "ok" for name in wanted)
    return {"status": "ready" if ready else "not ready", **found}, 200 if ready else 503


def _readiness() -> dict[str, str]:
    crm = current_crm()
    try:
        with crm.database.connect() as connection:
            current_version = migrate.state(connection, core_history()).up_to_date
            seen = heartbeat.newest(connection)
    except sa.exc.SQLAlchemyError:
        return {"database": "away", "migrations": "unknown", "worker": "unknown"}
    late = seen is None or (crm.clock.now() - seen).total_seconds() > LATE_SECONDS
    return {
        "database": "ok",
        "migrations": "ok" if current_version else "differ",
        "worker": "late" if late else "ok",
    }


def metrics() -> ResponseReturnValue:
    """The numbers, for the bearer of `GIGA_METRICS_TOKEN` or whoever may see the queue. Raises Forbidden."""
    token, given = host().settings.metrics_token, request.headers.get("Authorization", "")
    if not (token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())):
        current()
        access.require(g.ctx, "view", oversight.TOOL)
    text = "\n".join([*host().meter.lines(), *_stored(), ""])
    return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _stored() -> Iterator[str]:
    found = _numbers()
    yield from metric("giga_jobs", "gauge", "Jobs that are not done.", _states(found.jobs))
    yield from metric("giga_job_age_seconds", "gauge", "How late the oldest job is.", [({}, found.job_age)])
    deliveries = [({"consumer": c, "state": s}, n) for (c, s), n in found.deliveries.items()]
    yield from metric("giga_deliveries", "gauge", "Events that a consumer has not taken.", deliveries)
    ages = [({"consumer": consumer}, age) for consumer, age in found.ages.items()]
    yield from metric("giga_delivery_age_seconds", "gauge", "Age of the oldest such event.", ages)
    yield from metric("giga_rule_runs", "gauge", "Rule runs that wait or failed.", _states(found.rule_runs))
    yield from metric("giga_hook_deliveries", "gauge", "Web hooks to send or given up.", _states(found.hook_deliveries))
    yield from metric("giga_hook_inbox", "gauge", "Received web hooks that wait or failed.", _states(found.inbox))
    yield from metric("giga_mails", "gauge", "Mails that were not sent.", _states(found.mails))
    seen: list[tuple[dict[str, str], float]] = [] if found.worker_age is None else [({}, found.worker_age)]
    yield from metric("giga_worker_age_seconds", "gauge", "Since a worker was last seen.", seen)
    streams: list[tuple[dict[str, str], float]] = [({}, len(host().live.streams))]
    yield from metric("giga_live_streams", "gauge", "Open live pages of this process.", streams)


def _states(found: Mapping[str, int]) -> list[tuple[dict[str, str], float]]:
    return [({"state": state}, number) for state, number in found.items()]


def _numbers() -> monitor.Numbers:
    """Read at most every five seconds, however many monitors ask."""
    cache: dict[str, Any] = host().cache
    at, found = cache.get("numbers", (0.0, None))
    if found is None or time.monotonic() - at > KEPT_SECONDS:
        crm = current_crm()
        with crm.database.connect() as connection:
            found = monitor.read(connection, crm.clock.now())
        cache["numbers"] = (time.monotonic(), found)
    return found  # type: ignore[no-any-return]


def _measure(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    host().meter.count(_kind(), request.method, response.status_code, time.perf_counter() - g.begun)
    logs.note(response)
    return response


def _kind() -> str:
    name = request.endpoint or ""
    if not name:
        return "unknown"
    return next((kind for start, kind in KINDS if name.startswith(start)), "other")
