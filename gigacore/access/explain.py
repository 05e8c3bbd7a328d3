"""Why somebody may, or may not, do something to a record: the deciding grant, share, visibility or forbid by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa

from gigacore.access.decide import guard_of, require
from gigacore.access.grants import Grant
from gigacore.access.guard import AccessGuard
from gigacore.access.policy import Arm, Policy, arm_sql
from gigacore.access.reach import share_party
from gigacore.access.rights import in_scope
from gigacore.access.sql import EntityRows
from gigacore.access.tables import core_role, core_share, core_team, core_user
from gigacore.access.verbs import giving_shares, verb_label
from gigacore.data.door import mark_scoped
from gigacore.filter import Condition
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.entity import Entity, EntitySpec

Kind = Literal[
    "system", "super_admin", "grant", "visibility", "share", "link", "parent", "creator",
    "forbid", "narrowing", "scope", "no_grant", "out_of_reach",
]  # fmt: skip


MOST_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for or against; `holds` says whether it applies to the record in question."""

    kind: Kind
    text: Msg
    holds: bool
    role: str | None = None
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict, the reason that decided, and everything that was looked at."""

    allowed: bool
    verb: str
    entity: str
    record_id: int
    decided_by: Reason
    considered: tuple[Reason, ...] = ()


def explain(ctx: Context, actor: Actor, verb: str, record: Entity) -> Explanation:
    """Why `actor` may or may not do `verb` to `record`, by the same SQL as lists and checks.

    Whoever asks must see the record; to ask about somebody else takes `core.role.view`.
    """
    entity = ctx.session.registry.of(record)
    require(ctx, "view", entity.name, record)
    if actor.user_id != ctx.actor.user_id:
        require(ctx, "view", "core.role")
    return _Explainer(ctx, actor, entity, verb, record).run()


def count_seen(ctx: Context, actor: Actor, entity: EntitySpec) -> int:
    """How many records of an entity `actor` sees, counted up to 10,000. Takes `core.role.view`."""
    require(ctx, "view", "core.role")
    policy = guard_of(ctx).policy_for(ctx.session, actor, entity, "view")
    if policy.nothing:
        return 0
    table = entity.table
    inner = sa.select(table.c.id).where(policy.sql(EntityRows(ctx.session, table, actor))).limit(MOST_COUNTED)
    statement = sa.select(sa.func.count()).select_from(inner.subquery())
    return int(ctx.session.connection().execute(mark_scoped(statement)).scalar_one())


class _Explainer:
    """One question."""

    def __init__(self, ctx: Context, actor: Actor, entity: EntitySpec, verb: str, record: Entity) -> None:
        self.ctx = ctx
        self.actor = actor
        self.entity = entity
        self.verb = verb
        self.record = record
        self.guard: AccessGuard = guard_of(ctx)
        rows = self._connection.execute(sa.select(core_role.c.id, core_role.c.key))
        self.roles = {row.id: row.key for row in rows}

    @property
    def _connection(self) -> sa.Connection:
        return self.ctx.session.connection()

    def run(self) -> Explanation:
        """The verdict with its reasons."""
        if self.actor.is_system:
            return self._verdict(True, Reason("system", msg("The system may do everything."), True))
        if not in_scope(self.actor.scopes, self.entity, self.verb) and self.actor.kind != "link":
            return self._verdict(False, Reason("scope", msg("The token's scopes do not include this."), True))
        policy = self.guard.policy_for(self.ctx.session, self.actor, self.entity, self.verb)
        reasons = tuple(self._reasons(policy))
        return self._decide(policy, reasons)

    def _decide(self, policy: Policy, reasons: tuple[Reason, ...]) -> Explanation:
        against = [r for r in reasons if r.kind in ("forbid", "narrowing") and r.holds]
        speaking = [r for r in reasons if r.kind not in ("forbid", "narrowing") and r.holds]
        if against:
            return self._verdict(False, against[0], reasons)
        if speaking:
            return self._verdict(True, speaking[0], reasons)
        if not policy.allow:
            text = msg(
                "No role grants “{verb}” on {entity}.", verb=verb_label(self.verb), entity=Msg(self.entity.label_plural)
            )
            return self._verdict(False, Reason("no_grant", text, True), reasons)
        return self._verdict(
            False, Reason("out_of_reach", msg("No grant, visibility or share reaches this record."), True), reasons
        )

    def _verdict(self, allowed: bool, decided_by: Reason, considered: tuple[Reason, ...] = ()) -> Explanation:
        return Explanation(allowed, self.verb, self.entity.name, self.record.id, decided_by, considered)

    def _reasons(self, policy: Policy) -> Iterator[Reason]:
        arms = list(policy.arms())
        rows = EntityRows(self.ctx.session, self.entity.table, self.actor)
        terms = [arm_sql(arm, rows) for arm in arms] + [rows.condition(c) for c in policy.narrow]
        verdicts = self._ask(terms)
        for arm, holds in zip(arms, verdicts, strict=False):
            yield self._of_arm(arm, holds)
        for condition, holds in zip(policy.narrow, verdicts[len(arms) :], strict=True):
            yield self._of_narrowing(condition, holds)

    def _ask(self, terms: list[sa.ColumnElement[bool]]) -> list[bool]:
        if not terms:
            return []
        table = self.entity.table
        columns = [term.label(f"v{number}") for number, term in enumerate(terms)]
        statement = sa.select(*columns).select_from(table).where(table.c.id == self.record.id)
        row = self._connection.execute(mark_scoped(statement)).one()
        return [bool(value) for value in row]

    def _of_narrowing(self, condition: Condition, fulfilled: bool) -> Reason:
        return Reason("narrowing", msg("A plugin limits who reaches this record."), not fulfilled)

    def _of_arm(self, arm: Arm, holds: bool) -> Reason:
        grant = arm.source.grant
        role = self.roles.get(grant.role_id) if grant else None
        return Reason(arm.source.kind, self._text(arm, role, holds), holds, role, grant)

    def _text(self, arm: Arm, role: str | None, holds: bool) -> Msg:
        grant = arm.source.grant
        if grant is not None:
            return _grant_text(grant, role or "")
        if arm.source.kind == "share" and holds:
            return self._share_text()
        return _TEXTS[arm.source.kind]

    def _share_text(self) -> Msg:
        s = core_share.c
        verbs = giving_shares(self.verb)
        query = (
            sa.select(s.verb, core_team.c.name, core_user.c.name)
            .outerjoin(core_team, core_team.c.id == s.team_id)
            .outerjoin(core_user, core_user.c.id == s.user_id)
            .where(s.entity == self.entity.name, s.record_id == self.record.id, share_party(self.actor))
            .order_by(s.id)
        )
        if verbs is not None:
            query = query.where(s.verb.in_(verbs))
        verb, team, user = self._connection.execute(query).first() or ("view", None, None)
        return msg("It is shared with {party} for “{verb}”.", party=team or user, verb=verb_label(verb))


def _grant_text(grant: Grant, role: str) -> Msg:
    limit = msg("with a filter") if grant.filter is not None else msg("without a filter")
    words: dict[str, object] = {
        "role": role,
        "verb": verb_label(grant.verb),
        "entity": grant.entity,
        "limit": limit,
        "id": grant.id,
    }
    words["level"] = _LEVELS[grant.level]
    if grant.forbid:
        return msg("Role {role} forbids “{verb}” on {entity}: {level}, {limit} (rule {id}).", **words)
    return msg("Role {role} grants “{verb}” on {entity}: {level}, {limit} (grant {id}).", **words)


_LEVELS = {
    "none": msg("nothing"),
    "own": msg("own records"),
    "team": msg("records of the team"),
    "tree": msg("records of the teams below"),
    "all": msg("all records"),
}
_TEXTS = {
    "super_admin": msg("A Super Admin may do everything."),
    "visibility": msg("Its visibility opens the record to everybody."),
    "share": msg("It is shared."),
    "link": msg("The link opens this record."),
    "parent": msg("Rights on the record that it belongs to decide."),
    "creator": msg("Whoever made a record that belongs to no other may handle it."),
}
