"""Web hooks in: verified on the raw body, kept once by their id, answered at once, worked on later.

A source is declared by a plugin (`InboundSource`) or set up by an administrator: then its messages become records by
a mapping, or an event `hooks.<key>.received` that rules may listen to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore import access
from gigacore.access.profiles import load_actor
from gigacore.data import audit
from gigacore.data.outbox import emit_plain
from gigacore.errors import Conflict, FieldError, Invalid, Misuse, NotFound, worded
from gigacore.ids import uuid7
from gigacore.jobs import queue
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from gigacore.webhooks import signing
from gigacore.webhooks.mapping import Told, mapping_faults, to_record
from gigacore.webhooks.subscriptions import PURPOSE, TOOL
from gigacore.webhooks.tables import core_hook_source, core_inbox

if TYPE_CHECKING:
    from gigacore.access.vault import Vault
    from gigacore.context import Context
    from gigacore.jobs import JobRun

JOB: Final = "core.inbox"
GENERIC: Final = "in"
MAX_BODY: Final = 512 * 1024
KEPT_HEADERS: Final = frozenset({"content-type", "user-agent", "webhook-id", "webhook-timestamp"})
KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
S: Final = core_hook_source.c
B: Final = core_inbox.c


class NoSecret(Exception):
    """The source has no secret yet, so nothing can be verified: it is closed (503)."""


@dataclass(frozen=True, slots=True)
class InboundSource:
    """A sender of web hooks that a plugin knows: messages arrive at `/hooks/<name>/<key>`.

    `verify(raw, headers)` raises `BadSignature`, or `NoSecret` while none is set (503); header names are lower case,
    and `:path` is the path of the request, which tells accounts apart and which some vendors sign as part of the URL.
    `event_id(raw, headers)` gives the sender's own id of the message; `handle(ctx, message)` works on it in a unit of
    work of the system: a hint, whose present state is fetched from the sender by a job.
    """

    name: str
    verify: Callable[[bytes, Mapping[str, str]], None]
    event_id: Callable[[bytes, Mapping[str, str]], str]
    handle: Callable[[Context, Message], object]
    label: str = ""

    def __post_init__(self) -> None:
        if not KEY.fullmatch(self.name) or self.name == GENERIC:
            raise Misuse(
                msg("“{name}” is no name of a source of web hooks.", name=self.name),
                fix=msg("Use 2 to 40 lower-case letters, digits and underscores; “in” is taken."),
            )


@dataclass(frozen=True, slots=True)
class Message:
    """One message that arrived and was verified."""

    source: str
    account: str
    event_id: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    def json(self) -> Any:
        """The body as JSON. Raises Invalid."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Invalid(msg("The body is not valid JSON.")) from None


@dataclass(frozen=True, slots=True)
class Source:
    """A source that an administrator set up; its secret is not shown again."""

    id: int
    key: str
    name: str
    user_id: int
    scheme: str
    header: str
    mapping: Mapping[str, Any]
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of the inbox and what became of it; its body stays out of lists."""

    id: int
    source: str
    account: str
    event_id: str
    state: str
    error: Msg | None
    result: Mapping[str, Any] | None
    at: datetime
    done_at: datetime | None


class AlreadyDone(Exception):
    """Another worker was first: what this one did is rolled back."""


_SOURCE: Final = tuple(S[name] for name in Source.__slots__)
_ARRIVAL: Final = tuple(B[name] for name in Arrival.__slots__)


# Sources -------------------------------------------------------------------------------------------------------------


def sources(ctx: Context) -> list[Source]:
    """The sources set up here, by name. Raises Forbidden."""
    access.require(ctx, "edit", TOOL)
    statement = sa.select(*_SOURCE).where(S.org_id == ctx.actor.org_id).order_by(S.name, S.id)
    return [Source(*row) for row in ctx.session.connection().execute(statement)]


def add_source(
    ctx: Context, vault: Vault, *, key: str, name: str, mapping: Mapping[str, Any], scheme: str = "standard",
    header: str = "", secret: str = "",
) -> tuple[Source, str]:  # fmt: skip
    """Set a source up; gives it with its secret. It acts with the rights of who sets it up. Raises Invalid, Forbidden.

    `mapping` is `{}` (only the event) or `{"entity", "values": {field: template over `body`}, "match": [fields],
    "version": path}`: a record whose `match` fields equal is changed, else one is created; a message that is older
    than the last one about that record changes nothing.
    """
    access.require(ctx, "edit", TOOL)
    _check(ctx, key, name, scheme, header, mapping)
    if ctx.session.connection().scalar(sa.select(S.id).where(S.key == key)) is not None:
        raise Conflict(msg("There is a source with this key already."))
    secret = secret or signing.new_secret()
    values = {
        "uid": uuid7(), "org_id": ctx.actor.org_id, "user_id": ctx.actor.user_id or 0, "key": key, "name": name.strip(),
        "scheme": scheme, "header": header.lower(), "secret": vault.seal(secret, PURPOSE), "mapping": dict(mapping),
        "active": True, "created_at": ctx.now,
    }  # fmt: skip
    row = ctx.session.connection().execute(sa.insert(core_hook_source).values(**values).returning(*_SOURCE)).one()
    audit.record(ctx, TOOL, "source_added", record_id=row.id, values={"key": key})
    return Source(*row), secret


def remove_source(ctx: Context, source_id: int) -> None:
    """Remove a source; what arrived stays. Raises NotFound, Forbidden."""
    access.require(ctx, "edit", TOOL)
    if not ctx.session.connection().execute(sa.delete(core_hook_source).where(S.id == source_id)).rowcount:
        raise NotFound
    audit.record(ctx, TOOL, "source_removed", record_id=source_id)


def _check(ctx: Context, key: str, name: str, scheme: str, header: str, mapping: Mapping[str, Any]) -> None:
    errors = []
    if not KEY.fullmatch(key):
        errors.append(FieldError("key", msg("Use lower-case letters, digits and underscores."), "invalid"))
    if not name.strip():
        errors.append(FieldError("name", msg("This is required."), "required"))
    if scheme not in ("standard", "hmac_sha256"):
        errors.append(FieldError("scheme", msg("Choose standard or hmac_sha256."), "invalid"))
    if scheme == "hmac_sha256" and not header:
        errors.append(FieldError("header", msg("Name the header that holds the signature."), "required"))
    errors += mapping_faults(ctx, mapping)
    if errors:
        raise Invalid(errors=errors)


# Arrival -------------------------------------------------------------------------------------------------------------


def receive(
    ctx: Context, declared: Mapping[str, InboundSource], vault: Vault, source: str, key: str,
    headers: Mapping[str, str], body: bytes,
) -> bool:  # fmt: skip
    """Verify and keep a message, in the system's unit of work; False = it was here before.

    Raises NotFound for an unknown source, `NoSecret`, `BadSignature`, Invalid for a body that is too large.
    """
    if len(body) > MAX_BODY:
        raise Invalid(msg("The body is larger than {limit} KB.", limit=MAX_BODY // 1024))
    given = {name.lower(): value for name, value in headers.items()} | {":path": f"/hooks/{source}/{key}"}
    event_id = _verified(ctx, declared, vault, source, key, given, body)
    connection = ctx.session.connection()
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {
        "source": source, "account": key, "event_id": event_id[:200], "body": body, "state": "waiting", "at": ctx.now,
        "headers": {name: value for name, value in given.items() if name in KEPT_HEADERS},
    }  # fmt: skip
    number = connection.execute(make(core_inbox).values(**row).on_conflict_do_nothing().returning(B.id)).scalar()
    if number is not None:
        queue.enqueue(ctx, JOB, {"message": number}, system=f"web hook of {source}")
    return number is not None


def _verified(
    ctx: Context, declared: Mapping[str, InboundSource], vault: Vault, source: str, key: str,
    given: Mapping[str, str], body: bytes,
) -> str:  # fmt: skip
    if source != GENERIC:
        known = declared.get(source)
        if known is None:
            raise NotFound
        known.verify(body, given)
        return known.event_id(body, given)
    row = ctx.session.connection().execute(sa.select(core_hook_source).where(S.key == key, S.active)).first()
    if row is None:
        raise NotFound
    if not row.secret:
        raise NoSecret
    secret = vault.open(row.secret, PURPOSE)
    if row.scheme == "standard":
        return signing.verify_standard(secret, given, body, ctx.now)
    return signing.verify_hmac(secret, row.header, given, body)


# Work ----------------------------------------------------------------------------------------------------------------


def work(run: JobRun, payload: Mapping[str, Any], declared: Mapping[str, InboundSource], vault: Vault) -> object:
    """Work on one message; what it does and the mark that it is done are one transaction. Errors are tried again."""
    with run.host.database.connect() as connection:
        row = connection.execute(sa.select(core_inbox).where(B.id == int(payload["message"]))).first()
    if row is None or row.state == "done":
        return None
    message = Message(row.source, row.account, row.event_id, row.headers, bytes(row.body), row.at)
    try:
        return _work(run, row.id, message, declared, vault)
    except AlreadyDone:
        return None
    except Exception as error:
        with run.unit_of_work() as ctx:
            _mark(ctx, row.id, state="failed", error=worded(error))
        raise


def _work(run: JobRun, number: int, message: Message, declared: Mapping[str, InboundSource], vault: Vault) -> object:
    if message.source != GENERIC:
        with run.unit_of_work() as ctx:
            result = declared[message.source].handle(ctx, message)
            _done(ctx, number, None)
            return result
    with run.host.database.connect() as connection:
        source = connection.execute(sa.select(core_hook_source).where(S.key == message.account)).first()
        if source is None:
            raise NotFound(msg("The source was removed."))
        owner = load_actor(connection, source.user_id)
    actor = owner.automation(source.name)
    options: dict[str, Any] = {"correlation_id": run.claimed.correlation_id, "source": "hook"}
    with run.host.database.unit_of_work(actor, **options) as ctx:
        body = message.json()
        emit_plain(ctx, f"hooks.{source.key}.received", {"body": body})
        result = None
        if source.mapping:
            seal = vault.open(source.secret, PURPOSE)
            result = to_record(ctx, Told(source.id, source.scheme, source.mapping, seal, message.headers, body, number))
        _done(ctx, number, result)
    return result


def _mark(ctx: Context, number: int, **values: Any) -> bool:
    """Note how a message stands, unless it is done already."""
    statement = sa.update(core_inbox).where(B.id == number, B.state != "done").values(**values)
    return ctx.session.connection().execute(statement).rowcount == 1


def _done(ctx: Context, number: int, result: Mapping[str, Any] | None) -> None:
    ctx.session.flush()
    if not _mark(ctx, number, state="done", error=None, done_at=ctx.now, result=result):
        raise AlreadyDone


def purge(connection: sa.Connection, before: datetime) -> int:
    """Forget what messages from before that moment held; their ids stay, so that none counts twice."""
    old = sa.and_(B.state != "waiting", B.at < before, sa.func.length(B.body) > 0)
    return connection.execute(sa.update(core_inbox).where(old).values(body=b"")).rowcount


def inbox(ctx: Context, *, state: str = "", before: int | None = None, limit: int = 50) -> list[Arrival]:
    """What arrived, newest first. Raises Forbidden."""
    access.require(ctx, "edit", TOOL)
    statement = sa.select(*_ARRIVAL).order_by(B.id.desc()).limit(limit)
    if state:
        statement = statement.where(B.state == state)
    if before is not None:
        statement = statement.where(B.id < before)
    return [Arrival(*row) for row in ctx.session.connection().execute(statement)]


def try_again(ctx: Context, number: int) -> None:
    """Work on a message that failed once more. Raises NotFound, Conflict, Forbidden."""
    access.require(ctx, "edit", TOOL)
    wanted = sa.select(B.state, B.source, B.account, sa.func.length(B.body).label("size")).where(B.id == number)
    row = ctx.session.connection().execute(wanted).first()
    if row is None:
        raise NotFound
    if not row.size:
        raise Conflict(msg("What this message held was forgotten."))
    if row.state != "failed":
        raise Conflict(msg("Only a message that failed can be tried again."))
    _mark(ctx, number, state="waiting")
    queue.enqueue(ctx, JOB, {"message": number}, unique_key=f"{JOB}:{number}", system=f"web hook of {row.account}")
    audit.record(ctx, TOOL, "tried_again", record_id=number, values={"source": row.source, "account": row.account})
