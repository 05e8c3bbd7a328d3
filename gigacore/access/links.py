"""Links for people without an account: each opens one record for one purpose, for a time or a number of uses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gigacore.access.policy import Arm, Policy, Source
from gigacore.access.reach import Listed
from gigacore.access.secret_values import digest, new_secret
from gigacore.access.tables import core_link_token
from gigacore.context import Actor
from gigacore.errors import NotFound
from gigacore.ids import uuid7
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import EntitySpec


@dataclass(frozen=True, slots=True)
class Link:
    """What a link opens, and who acts through it."""

    purpose: str
    entity: str
    record_id: int
    person: str | None
    actor: Actor


def create(
    ctx: Context,
    purpose: str,
    entity: str,
    record_id: int,
    *,
    verbs: Iterable[str] = ("view",),
    person: str | None = None,
    expires_at: datetime | None = None,
    max_uses: int | None = None,
) -> str:
    """A new link's secret, returned once. The caller has checked that its actor may hand out the record."""
    raw = new_secret()
    row = {"uid": uuid7(), "hash": digest(raw), "purpose": purpose, "entity": entity, "record_id": record_id}
    row |= {"person": person, "verbs": sorted(set(verbs)), "max_uses": max_uses, "uses": 0, "created_at": ctx.now}
    row |= {"created_by": ctx.actor.user_id, "expires_at": expires_at}
    ctx.session.connection().execute(sa.insert(core_link_token).values(row))
    return raw


def follow(connection: sa.Connection, raw: str, purpose: str, now: datetime, *, use: bool = False) -> Link:
    """What a link opens. `use` counts a use, atomically. Raises NotFound when it is wrong or spent."""
    t = core_link_token.c
    valid = sa.and_(
        t.hash == digest(raw),
        t.purpose == purpose,
        t.revoked_at.is_(None),
        sa.or_(t.expires_at.is_(None), t.expires_at > now),
        sa.or_(t.max_uses.is_(None), t.uses < t.max_uses),
    )
    columns = (t.id, t.entity, t.record_id, t.person, t.verbs)
    if use:
        row = connection.execute(
            sa.update(core_link_token).where(valid).values(uses=t.uses + 1).returning(*columns)
        ).first()
    else:
        row = connection.execute(sa.select(*columns).where(valid)).first()
    if row is None:
        raise NotFound
    scopes = tuple(f"{row.entity}.{verb}:{row.record_id}" for verb in row.verbs)
    actor = Actor(kind="link", user_id=None, name=row.person or purpose, token_id=row.id, scopes=scopes)
    return Link(purpose, row.entity, row.record_id, row.person, actor)


def link_policy(actor: Actor, entity: EntitySpec, verb: str) -> Policy:
    """What the holder of a link may do: its verbs, on its one record."""
    ids = []
    for scope in actor.scopes or ():
        right, _, record_id = scope.rpartition(":")
        if right == f"{entity.name}.{verb}":
            ids.append(int(record_id))
    arms = (Arm(Source("link"), Listed(tuple(ids))),) if ids else ()
    return Policy(entity, verb, arms)


def revoke(ctx: Context, purpose: str, entity: str, record_id: int) -> int:
    """End every link of a purpose to a record; returns how many."""
    t = core_link_token.c
    which = sa.and_(t.purpose == purpose, t.entity == entity, t.record_id == record_id, t.revoked_at.is_(None))
    return ctx.session.connection().execute(sa.update(core_link_token).where(which).values(revoked_at=ctx.now)).rowcount
