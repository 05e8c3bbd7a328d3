"""The verdict on one record: the stored image by the lists' own SQL, the image to be written in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import inspect
from sqlalchemy.orm.attributes import instance_state

from gigacore.access.policy import Candidate, Policy
from gigacore.access.reach import Facts, share_party
from gigacore.access.readers import DraftReader
from gigacore.access.sql import EntityRows
from gigacore.access.tables import core_share
from gigacore.access.verbs import followed_verb
from gigacore.data.door import mark_scoped
from gigacore.filter import Condition, PyEnv, matches
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.access.guard import AccessGuard
    from gigacore.context import Actor
    from gigacore.data.session import ActorSession
    from gigacore.entity import Entity, EntitySpec


@dataclass(frozen=True, slots=True)
class Image:
    """A record in memory and the old values of the fields that changed."""

    entity: EntitySpec
    obj: Entity
    before: Mapping[str, Any]

    def old(self, name: str) -> Any:
        """A field's value as it is stored."""
        return self.before[name] if name in self.before else getattr(self.obj, name, None)

    def set_attributes(self, names: Iterable[str]) -> list[str]:
        """Which of these attributes were set to something else since the record was loaded."""
        state: Any = inspect(self.obj)
        known = state.committed_state
        return [name for name in names if name in known and known[name] != getattr(self.obj, name)]


class Judge:
    """Answers for one record and the session's actor; asks the database as seldom as it can."""

    def __init__(self, guard: AccessGuard, session: ActorSession, image: Image) -> None:
        self.guard = guard
        self.session = session
        self.image = image
        self._known: dict[str, bool] = {}

    def old(self, *verbs: str) -> bool:
        """Whether the stored record is within the policy of each verb; one statement for all that are not plain."""
        wanted: dict[str, Policy] = {}
        for verb in verbs:
            policy = self.guard.policy(self.session, self.image.entity, verb)
            if policy.nothing:
                return False
            if verb not in self._known and not policy.unlimited:
                wanted[verb] = policy
        if wanted:
            self._known |= self._ask(wanted)
        return all(self._known.get(verb, True) for verb in verbs)

    def which(self, verbs: Iterable[str]) -> frozenset[str]:
        """Those of the verbs whose policy the stored record is within; one statement for all that are not plain."""
        wanted = tuple(dict.fromkeys(verbs))
        known = [v for v in wanted if not self.guard.policy(self.session, self.image.entity, v).nothing]
        self.old(*known)
        return frozenset(verb for verb in known if self._known.get(verb, True))

    def _ask(self, wanted: Mapping[str, Policy]) -> dict[str, bool]:
        actor, verbs = self.session.actor, tuple(wanted)
        if actor.kind != "link" and all(policy.lasting for policy in wanted.values()):
            key = ("verdicts", self.image.entity.name, *verbs)
            statement = self.guard.rights(self.session).kept(actor, key, lambda: self._question(verbs))
        else:
            statement = self._question(verbs)
        row = self.session.connection().execute(statement, {"record": self.image.obj.id}).first()
        return {verb: row is not None and bool(row[number]) for number, verb in enumerate(wanted)}

    def _question(self, verbs: tuple[str, ...]) -> sa.Select[Any]:
        """What asks whether a stored record is within the policies of these verbs, in their order."""
        table = self.image.entity.table
        found = (self.guard.criteria(self.session, self.image.entity, verb) for verb in verbs)
        criteria = (sa.true() if one is None else one for one in found)
        columns: list[Any] = [one.label(f"v{number}") for number, one in enumerate(criteria)]
        return mark_scoped(sa.select(*columns).select_from(table).where(table.c.id == sa.bindparam("record")))

    def draft(self, policy: Policy, kept: frozenset[str] = frozenset()) -> bool:
        """Whether the record as it would be written fulfils a policy; fields in `kept` count with their old values."""
        image, actor = self.image, self.session.actor
        values = {name: image.old(name) for name in kept}
        reader = DraftReader(self.session, image.obj, values)
        env = PyEnv(self.session.registry, actor, self.session.context.now)

        def fulfils(condition: Condition) -> bool:
            return matches(condition, reader, env)

        return policy.allows(Candidate(self._facts(values, policy.verb), fulfils, actor))

    def _facts(self, kept: Mapping[str, Any], verb: str) -> Facts:
        obj, entity = self.image.obj, self.image.entity

        def value(name: str) -> Any:
            return kept[name] if name in kept else getattr(obj, name, None)

        visibility = value("visibility")
        parent_id = self._parent_id()
        return Facts(
            id=obj.id,
            owner_id=value("owner_id"),
            team_id=value("team_id"),
            visibility=getattr(visibility, "value", visibility),
            created_by=obj.created_by if instance_state(obj).persistent else self.session.actor.user_id,
            shared=self._shares(),
            parent_id=parent_id,
            parent_allowed=entity.access == "parent" and parent_id is not None and self._parent_allows(parent_id, verb),
        )

    def _shares(self) -> frozenset[str]:
        """The verbs that the record is shared for with the actor."""
        if not self.image.entity.owned or self.image.obj.id is None:
            return frozenset()
        s = core_share.c
        mine = (s.entity == self.image.entity.name, s.record_id == self.image.obj.id, share_party(self.session.actor))
        return frozenset(self.session.connection().scalars(sa.select(s.verb).where(*mine)))

    def _parent_id(self) -> int | None:
        field = self.image.entity.fields.get(self.image.entity.parent_field or "")
        return None if field is None else getattr(self.image.obj, field.attribute, None)

    def _parent_allows(self, parent_id: int, verb: str) -> bool:
        field = self.image.entity.fields[self.image.entity.parent_field or ""]
        parent = self.session.registry.entity(field.target or "")
        policy = self.guard.policy(self.session, parent, followed_verb(verb))
        if policy.nothing or policy.unlimited:
            return policy.unlimited
        table = parent.table
        rows = EntityRows(self.session, table)
        statement = sa.select(table.c.id).where(table.c.id == parent_id, policy.sql(rows))
        return self.session.connection().execute(mark_scoped(statement)).first() is not None


def by_ownership(policy: Policy, record: Entity, actor: Actor) -> bool:
    """Whether a policy that is `lasting` allows an owned record for its owner, team, visibility or author.

    Shares are left aside: they only ever give, so True is the whole verdict.
    """
    values = record.__dict__
    visibility = values.get("visibility")
    facts = Facts(
        id=values.get("id"),
        owner_id=values.get("owner_id"),
        team_id=values.get("team_id"),
        visibility=getattr(visibility, "value", visibility),
        created_by=values.get("created_by"),
    )
    return policy.allows(Candidate(facts, _never, actor))


def _never(condition: Condition) -> bool:
    return False
