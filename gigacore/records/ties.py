"""Links and shares of a record taken back: what was tied is untied, what was untied is tied again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gigacore.access import shares
from gigacore.data import links
from gigacore.entity import Entity
from gigacore.errors import Conflict, NotFound
from gigacore.messages import msg
from gigacore.records import write

if TYPE_CHECKING:
    from gigacore.context import Context

VERBS: Final = ("linked", "unlinked", "shared", "unshared")
_UNKNOWN: Final = msg("What this change replaced is no longer kept.")
_GONE: Final = msg("It was taken away since; nothing was changed.")
_AGAIN: Final = msg("It was made again since; nothing was changed.")


def take_back(ctx: Context, record: Entity, verb: str, values: Mapping[str, Any]) -> None:
    """Take back that a record was linked, unlinked, shared or unshared, as the audit recorded it.

    Raises Conflict when that was done since, or the other end is gone or out of sight.
    """
    if verb in ("linked", "unlinked"):
        _links(ctx, record, verb, values)
    else:
        _shares(ctx, record, verb, values)


def _links(ctx: Context, record: Entity, verb: str, values: Mapping[str, Any]) -> None:
    tie = next((one for one in values.get("links") or () if isinstance(one, dict)), None)
    if tie is None:
        raise Conflict(_UNKNOWN)
    other, key, reverse = (tie["entity"], tie["id"]), tie["kind"], tie["reverse"]
    now = links.present(ctx, record, other, key, reverse=reverse)
    if verb == "linked":
        if now is None:
            raise Conflict(_GONE)
        return links.unlink(ctx, record, now)
    if now is not None:
        raise Conflict(_AGAIN)
    kind = links.kinds_of(ctx.session.registry).get(key)
    if kind is None or other[0] not in ctx.session.registry.entities:
        raise Conflict(msg("The plugin of this kind of link is not running."))
    links.link(ctx, record, _other(ctx, *other), kind, reverse=reverse)


def _other(ctx: Context, entity: str, record_id: int) -> Entity:
    try:
        return write.load(ctx, entity, record_id)
    except NotFound:
        raise Conflict(msg("The other record is gone, or you may not see it.")) from None


def _shares(ctx: Context, record: Entity, verb: str, values: Mapping[str, Any]) -> None:
    if not values.get("verb"):
        raise Conflict(_UNKNOWN)
    party = {name: values.get(name) for name in ("user_id", "team_id")}
    if verb == "shared":
        if not shares.remove(ctx, record, **party, verb=values["verb"]):
            raise Conflict(_GONE)
    elif not shares.add(ctx, record, **party, verb=values["verb"]):
        raise Conflict(_AGAIN)
