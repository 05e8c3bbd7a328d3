"""The guard of actor sessions: criteria for what is read, a verdict on each object and field that is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import ColumnElement, FromClause

from gigacore.access.changes import CHANGED
from gigacore.access.judge import Image, Judge, by_ownership
from gigacore.access.links import link_policy
from gigacore.access.policy import Policy
from gigacore.access.profiles import AccessCache, generation
from gigacore.access.rights import Rights, in_scope
from gigacore.access.sql import EntityRows
from gigacore.access.verbs import verb_label
from gigacore.errors import Forbidden, NotFound, Unavailable
from gigacore.filter import Condition, parse
from gigacore.messages import Msg, msg

if TYPE_CHECKING:
    from gigacore.context import Actor
    from gigacore.data.session import ActorSession
    from gigacore.entity import Entity, EntitySpec, FieldSpec, Registry

RIGHTS: Final = "giga_rights"
POLICIES: Final = "giga_policies"
DRAFTS: Final = "giga_drafts"
ACTING: Final = "giga_acting"
SERVER_OWNED: Final = ("id", "uid", "org_id", "created_at", "created_by")
OWNERSHIP: Final = frozenset({"owner_id", "team_id"})
OPENNESS: Final = frozenset({"visibility"})
NO_FIELDS: Final[frozenset[str]] = frozenset()


class Narrowing(Protocol):
    """Plugins' `narrow_policy`: what they answer is ANDed, so they can take away and never give."""

    def __call__(self, actor: Actor, entity: EntitySpec, verb: str, /) -> Iterable[Condition | Mapping[str, Any]]:
        """Conditions (or their JSON trees) that records must also fulfil."""


def no_narrowing(actor: Actor, entity: EntitySpec, verb: str, /) -> Iterable[Condition | Mapping[str, Any]]:
    """No plugin narrows anything."""
    return ()


class AccessGuard:
    """Implements `gigacore.data`'s Guard from roles, grants and shares. One per installation."""

    def __init__(self, cache: AccessCache | None = None, narrow: Narrowing = no_narrowing) -> None:
        self.cache = cache or AccessCache()
        self.narrow = narrow

    # What the actor may do, for this session ----------------------------------------------------------------------

    def rights(self, session: ActorSession) -> Rights:
        """The rights of the session's actor, read once: they stay the same for the whole session."""
        known: Rights | None = session.info.get(RIGHTS)
        if known is None or known.registry is not session.registry:
            known = session.info[RIGHTS] = self._read_rights(session, session.actor)
        return known

    def _read_rights(self, session: ActorSession, actor: Actor) -> Rights:
        at = actor.access_generation or generation(session.connection())
        return self.cache.rights(session.connection, actor, session.registry, at)

    def surely(self, actor: Actor, registry: Registry, entity: EntitySpec, verb: str) -> bool:
        """Whether a role of the actor is known to give the verb on some record; False = ask with a session."""
        rights = self.cache.known_rights(actor, registry)
        if rights is None or actor.kind == "link" or not in_scope(actor.scopes, entity, verb):
            return False
        return not rights.policy(entity, verb).nothing

    def policy(self, session: ActorSession, entity: EntitySpec, verb: str) -> Policy:
        """The policy of the session's actor: its roles', within a token's scopes, narrowed by plugins."""
        known: dict[tuple[str, str], Policy] = session.info.setdefault(POLICIES, {})
        key = entity.name, verb
        if key not in known:
            known[key] = self._policy(session, session.actor, self.rights(session), entity, verb)
        return known[key]

    def policy_for(self, session: ActorSession, actor: Actor, entity: EntitySpec, verb: str) -> Policy:
        """The policy of another actor than the session's, for explanations."""
        return self._policy(session, actor, self._read_rights(session, actor), entity, verb)

    def _policy(self, session: ActorSession, actor: Actor, rights: Rights, entity: EntitySpec, verb: str) -> Policy:
        if actor.kind == "link":
            return link_policy(actor, entity, verb)
        if not in_scope(actor.scopes, entity, verb):
            return Policy(entity, verb)
        policy = rights.policy(entity, verb)
        if policy.nothing:
            return policy
        return policy.narrowed(self._narrowing(session, actor, entity, verb))

    def _narrowing(self, session: ActorSession, actor: Actor, entity: EntitySpec, verb: str) -> tuple[Condition, ...]:
        try:
            found = self.narrow(actor, entity, verb)
            return tuple(parse(c, entity, session.registry) if isinstance(c, Mapping) else c for c in found)
        except Unavailable:
            raise
        except Exception as error:  # whatever went wrong in a plugin, the records stay closed
            raise Unavailable(
                msg("{entity} cannot be shown: a rule that limits it failed.", entity=Msg(entity.label_plural))
            ) from error

    # Reading ------------------------------------------------------------------------------------------------------

    def criteria(self, session: ActorSession, entity: EntitySpec, verb: str = "view") -> ColumnElement[bool] | None:
        """What the actor may reach, on the mapped class; None = every record."""
        return self.visible(session, entity, entity.table, verb)

    def visible(
        self, session: ActorSession, entity: EntitySpec, table: FromClause, verb: str = "view"
    ) -> ColumnElement[bool] | None:
        """What the actor may reach, on the entity's table or an alias of it; None = every record."""
        if session.actor.is_system:
            return None
        policy = self.policy(session, entity, verb)
        if policy.unlimited:
            return None
        if table is not entity.table or not policy.lasting or session.actor.kind == "link":
            return policy.sql(EntityRows(session, table))
        key = entity.name, verb
        return self.rights(session).kept(session.actor, key, lambda: policy.sql(EntityRows(session, table)))

    def surely_sees(self, session: ActorSession, entity: EntitySpec, record: Entity) -> bool:
        """Whether the actor sees a record, as it is in memory, for its ownership alone; False = ask the database."""
        if session.actor.is_system:
            return True
        policy = self.policy(session, entity, "view")
        return policy.unlimited or (entity.owned and policy.lasting and by_ownership(policy, record, session.actor))

    def names(self, session: ActorSession, target: str) -> dict[int, str] | None:
        """Known names of users, teams or organisations, to read and add to; None = ask the database each time."""
        at = session.actor.access_generation
        return None if not at or session.info.get(CHANGED) else self.cache.names(target, at)

    def readable(self, session: ActorSession, entity: EntitySpec, field: FieldSpec) -> bool:
        """Whether the actor may read a field of the records it sees."""
        return not field.secret and (session.actor.is_system or self.rights(session).readable(entity, field))

    def readable_names(self, session: ActorSession, entity: EntitySpec) -> frozenset[str]:
        """The names of all fields that the actor may read."""
        if session.actor.is_system:
            return frozenset(name for name, field in entity.fields.items() if not field.secret)
        return self.rights(session).readable_names(entity)

    def writable_names(self, session: ActorSession, entity: EntitySpec) -> frozenset[str]:
        """The names of all fields and child rows that may stand in the actor's input."""
        return self.rights(session).writable_names(entity)

    def writable(self, session: ActorSession, entity: EntitySpec, field: FieldSpec) -> bool:
        """Whether the field may stand in the actor's input."""
        if session.actor.is_system:
            return not field.readonly and not field.computed
        return self.rights(session).writable(entity, field)

    # Writing ------------------------------------------------------------------------------------------------------

    @contextmanager
    def acting(self, session: ActorSession, record: Entity, verb: str) -> Iterator[None]:
        """Judge changes of this record by `verb` (an action of its own) instead of `edit`, inside the block."""
        acting: dict[tuple[str, int], str] = session.info.setdefault(ACTING, {})
        key = type(record).__giga__.name, record.id
        before, acting[key] = acting.get(key), verb
        try:
            yield
            session.flush()
        finally:
            acting.pop(key) if before is None else acting.update({key: before})

    def check_write(
        self,
        session: ActorSession,
        entity: EntitySpec,
        obj: Entity,
        verb: str,
        changed: frozenset[str],
        before: Mapping[str, Any] | None,
    ) -> None:
        """Refuse what the actor may not do to this object. `verb` is create, edit or delete.

        A record that the actor may not see is not found; otherwise Forbidden says what is missing. Nothing is written.
        """
        if session.actor.is_system:
            return
        image = Image(entity, obj, before or {})
        if verb == "delete":
            self._check_stored(session, image, ("delete",))
        elif verb == "create":
            self._check_create(session, image)
            self._check_fields(session, image, verb, changed)
        else:
            self._check_edit(session, image, changed)
            self._check_fields(session, image, verb, changed)

    def _check_fields(self, session: ActorSession, image: Image, verb: str, changed: frozenset[str]) -> None:
        entity, closed = image.entity, list[str]()
        if verb == "edit":
            closed = image.set_attributes(SERVER_OWNED)
        elif entity.owned and image.obj.__dict__.get("org_id") not in (None, session.actor.org_id):
            closed = ["org_id"]
        # What an action may make of a record is its own rule, so field rules concern editing and creating only.
        if session.actor.kind != "link" and self._acting(session, image) == "edit":
            closed += self.rights(session).closed(entity, changed)
        if closed:
            raise Forbidden(msg("You may not change {fields}.", fields=", ".join(closed)))

    def _check_create(self, session: ActorSession, image: Image) -> None:
        policy = self.policy(session, image.entity, "create")
        if policy.nothing:
            raise no_right(image.entity, "create")
        if not self._may_draft(session, image, policy):
            raise Forbidden(msg("You may not create this record with these values."))

    def _may_draft(self, session: ActorSession, image: Image, policy: Policy) -> bool:
        """The verdict on a new record; where only ownership counts, it is the same for all of one owner and team."""
        values = image.obj.__dict__
        if not (policy.lasting and image.entity.owned) or values.get("id") is not None:
            return Judge(self, session, image).draft(policy)
        known: dict[tuple[object, ...], bool] = session.info.setdefault(DRAFTS, {})
        key = (image.entity.name, values.get("owner_id"), values.get("team_id"), values.get("visibility"))
        if key not in known:
            known[key] = Judge(self, session, image).draft(policy)
        return known[key]

    def _check_stored(self, session: ActorSession, image: Image, verbs: tuple[str, ...]) -> Judge:
        """The stored record must be seen, and within the policy of each verb."""
        judge = Judge(self, session, image)
        if judge.old("view", *verbs):
            return judge
        if not judge.old("view"):
            raise NotFound(sought=(image.entity.name, image.obj.id))
        for verb in verbs:
            if self.policy(session, image.entity, verb).nothing:
                raise no_right(image.entity, verb)
            if not judge.old(verb):
                raise not_this(verb)
        return judge

    def _check_edit(self, session: ActorSession, image: Image, changed: frozenset[str]) -> None:
        entity, acting = image.entity, self._acting(session, image)
        verbs = verbs_of(changed, acting)
        judge = self._check_stored(session, image, verbs)
        if acting != "edit":
            return  # what an action may make of a record is its own rule
        # Giving away is judged by `assign`, opening and closing by `share`: their fields count as they were.
        kept = (OWNERSHIP if "assign" in verbs else NO_FIELDS) | (OPENNESS if "share" in verbs else NO_FIELDS)
        for verb in verbs:
            policy = self.policy(session, entity, verb)
            if self._depends_on_draft(policy, changed) and not judge.draft(policy, kept):
                raise Forbidden(msg("You may not change this record in that way."))

    def _depends_on_draft(self, policy: Policy, changed: frozenset[str]) -> bool:
        """Whether the verdict could differ between the stored record and the draft."""
        return policy.conditional or policy.entity.parent_field in changed

    def _acting(self, session: ActorSession, image: Image) -> str:
        acting: dict[tuple[str, int], str] | None = session.info.get(ACTING)
        return acting.get((image.entity.name, image.obj.id), "edit") if acting else "edit"


def verbs_of(changed: frozenset[str], edit: str) -> tuple[str, ...]:
    """The verbs that a change of these fields takes: ownership is assigned, visibility shared, the rest edited."""
    verbs = [edit] if changed - OWNERSHIP - OPENNESS or not changed else []
    verbs += ["assign"] if changed & OWNERSHIP and edit == "edit" else []
    verbs += ["share"] if changed & OPENNESS and edit == "edit" else []
    return tuple(verbs or [edit])


def no_right(entity: EntitySpec, verb: str) -> Forbidden:
    """None of the actor's roles knows the verb here."""
    return Forbidden(
        msg("Your roles do not include “{verb}” on {entity}.", verb=verb_label(verb), entity=Msg(entity.label_plural)),
        fix=msg("Ask an administrator for this right."),
    )


def not_this(verb: str) -> Forbidden:
    """The actor's roles know the verb, but not for this record."""
    return Forbidden(
        msg("You may see this record, but your right to “{verb}” does not reach it.", verb=verb_label(verb)),
        fix=msg("Ask its owner or an administrator."),
    )
