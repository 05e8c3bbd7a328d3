"""Logs as JSON lines: one object per line, with what leads from a request to its jobs and web hooks."""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from flask import Response, g, request

from gigacore.errors import ConfigurationError
from gigacore.messages import msg
from gigacore.settings import Settings

KINDS: Final = ("text", "json")
log: Final = logging.getLogger("host_app.request")


class JsonLines(logging.Formatter):
    """A record as one line: time, level, logger, message, the record's own `fields`, and the trace of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure(settings: Settings) -> None:
    """Set this process's logging up as `GIGA_LOG` asks. Raises ConfigurationError for an unknown kind."""
    if settings.log not in KINDS:
        raise ConfigurationError(msg("GIGA_LOG must be one of: {kinds}.", kinds=", ".join(KINDS)))
    if settings.log == "json":
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def note(response: Response) -> None:
    """One line about a request that was answered; `route` is the rule, so that no value of a person is logged."""
    if not log.isEnabledFor(logging.INFO):
        return
    who = g.known_identity
    fields = {
        "correlation_id": g.request_id,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "seconds": round(time.perf_counter() - g.begun, 4),
        "actor_kind": who.actor.kind if who else None,
        "actor_id": who.actor.user_id if who else None,
    }
    log.info("%s %s %s", request.method, fields["route"], response.status_code, extra={"fields": fields})
