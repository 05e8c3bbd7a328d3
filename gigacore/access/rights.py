"""The policies that follow from a set of roles, worked out once per role set and registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from gigacore.access.grants import Grant, GrantSet, scope_allows
from gigacore.access.policy import Arm, Policy, Source
from gigacore.access.reach import Created, Everything, Reach, Shared, Through, Visible, Within
from gigacore.access.verbs import class_pattern, followed_verb, giving_shares, giving_visibility
from gigacore.errors import Invalid
from gigacore.filter import Condition, Nothing, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gigacore.context import Actor
    from gigacore.entity import EntitySpec, FieldSpec, Registry
    from gigacore.entity.spec import RollupSpec

_EVERYTHING: Final = Everything()
MOST_KEPT: Final = 1000
T = TypeVar("T")


class Rights:
    """What the holders of some roles may do, whoever they are; an actor's own id and teams come in later.

    Of `closed_modules` (plugins) they may use nothing.
    `super_admin` skips grants, forbids and field rules; secrets stay unreadable and server-owned fields unwritable.
    """

    def __init__(
        self,
        grants: GrantSet,
        registry: Registry,
        *,
        super_admin: bool = False,
        closed_modules: frozenset[str] = frozenset(),
    ) -> None:
        self.grants = grants
        self.registry = registry
        self.super_admin = super_admin
        self.closed_modules = closed_modules
        self._policies: dict[tuple[str, str], Policy] = {}
        self._fields: dict[tuple[str, str, bool], bool] = {}
        self._readable: dict[str, frozenset[str]] = {}
        self._writable: dict[str, frozenset[str]] = {}
        self._closed: dict[tuple[str, frozenset[str]], tuple[str, ...]] = {}
        self._kept: dict[tuple[object, ...], Any] = {}

    def policy(self, entity: EntitySpec, verb: str) -> Policy:
        """The policy for a verb on an entity."""
        key = entity.name, verb
        if key not in self._policies:
            self._policies[key] = self._build(entity, verb)
        return self._policies[key]

    def readable(self, entity: EntitySpec, field: FieldSpec) -> bool:
        """Whether the roles may read a field of records that they see.

        A computed field is as closed as what it is made of: whoever may not read a source could read it off the result.
        """
        if field.secret or not self._open(entity, field.name, write=False):
            return False
        rolled = field.rollup
        if rolled is not None and not self._rolled_open(entity, rolled):
            return False
        return all(self._source_open(entity, name) for name in field.depends_on)

    def _rolled_open(self, entity: EntitySpec, rolled: RollupSpec) -> bool:
        """Whether the roles may read what is rolled up: child rows, or a field of the records that refer here."""
        if rolled.source in entity.children:
            return self._open(entity, rolled.source, write=False)
        referring = self.registry.entities.get(rolled.source.rpartition(".")[0])
        return referring is None or rolled.field is None or self._source_open(referring, rolled.field)

    def _source_open(self, entity: EntitySpec, name: str) -> bool:
        source = entity.fields.get(name)
        return self._open(entity, name, write=False) if source is None else self.readable(entity, source)

    def readable_names(self, entity: EntitySpec) -> frozenset[str]:
        """The names of all fields that the roles may read."""
        if entity.name not in self._readable:
            names = (name for name, field in entity.fields.items() if self.readable(entity, field))
            self._readable[entity.name] = frozenset(names)
        return self._readable[entity.name]

    def kept(self, actor: Actor, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """What `make` gives, kept for this actor: it must depend on these rights, the key and who acts only."""
        whole = (*key, actor.user_id, actor.org_id, actor.team_ids, actor.tree_ids, actor.subordinate_ids)
        if whole not in self._kept:
            self._kept[whole] = make()
        kept: T = self._kept[whole]
        return kept

    def writable(self, entity: EntitySpec, field: FieldSpec) -> bool:
        """Whether the field may stand in the roles' input."""
        return not field.readonly and not field.computed and self._open(entity, field.name, write=True)

    def writable_names(self, entity: EntitySpec) -> frozenset[str]:
        """The names of all fields and child rows that may stand in the roles' input."""
        if entity.name not in self._writable:
            fields = (name for name, field in entity.fields.items() if self.writable(entity, field))
            rows = (name for name in entity.children if self._open(entity, name, write=True))
            self._writable[entity.name] = frozenset((*fields, *rows))
        return self._writable[entity.name]

    def closed(self, entity: EntitySpec, changed: frozenset[str]) -> tuple[str, ...]:
        """Which of these fields and child rows the roles may not set."""
        key = entity.name, changed
        found = self._closed.get(key)
        if found is None:
            if len(self._closed) >= MOST_KEPT:
                self._closed.clear()
            found = self._closed[key] = tuple(name for name in sorted(changed) if not self.may_set(entity, name))
        return found

    def may_set(self, entity: EntitySpec, name: str) -> bool:
        """Whether field rules let the roles change a field or child rows, be it through a service."""
        field = entity.fields.get(name)
        if field is not None and (field.readonly or field.computed):
            return True
        return self._open(entity, name, write=True)

    def tool(self, name: str, verb: str) -> bool:
        """Whether a page, setting or tool is permitted."""
        if name.partition(".")[0] in self.closed_modules:
            return False
        return self.super_admin or self.grants.permits_tool(name, verb)

    def _open(self, entity: EntitySpec, name: str, *, write: bool) -> bool:
        key = entity.name, name, write
        if key not in self._fields:
            self._fields[key] = self.super_admin or (
                not self._is_closed(entity, name) and self.grants.field_allows(entity, name, write=write)
            )
        return self._fields[key]

    def _is_closed(self, entity: EntitySpec, name: str) -> bool:
        """Whether a field comes from a module that is closed to these people."""
        field = entity.fields.get(name)
        return field is not None and field.plugin in self.closed_modules

    def _build(self, entity: EntitySpec, verb: str) -> Policy:
        if entity.plugin in self.closed_modules:
            return Policy(entity, verb)
        if self.super_admin:
            return Policy(entity, verb, (Arm(Source("super_admin"), _EVERYTHING),))
        forbid = tuple(
            self._arm(entity, grant, "forbid")
            for grant in self.grants.forbidding(entity.name, class_pattern(entity), verb)
            if entity.owned or grant.level == "all"  # records without an owner are nobody's own
        )
        if entity.access == "parent":
            return Policy(entity, verb, self._through_parent(entity, verb), forbid)
        granted = self.grants.allowing(entity.name, class_pattern(entity), verb)
        allow = [self._arm(entity, grant, "grant") for grant in granted if entity.owned or _counts(grant, verb)]
        if allow and entity.owned and verb != "create":
            allow += self._opened(entity, verb)
        return Policy(entity, verb, tuple(allow), forbid)

    def _arm(self, entity: EntitySpec, grant: Grant, kind: str) -> Arm:
        source = Source("forbid" if kind == "forbid" else "grant", grant)
        return Arm(source, _reach(entity, grant), self._where(entity, grant))

    def _where(self, entity: EntitySpec, grant: Grant) -> Condition | None:
        if grant.filter is None:
            return None
        try:
            return parse(grant.filter, entity, self.registry)
        except Invalid:
            # The filter names a field of a plugin that is gone: the grant gives nothing, the forbid closes everything.
            return None if grant.forbid else Nothing()

    def _opened(self, entity: EntitySpec, verb: str) -> Iterable[Arm]:
        if values := giving_visibility(verb):
            yield Arm(Source("visibility"), Visible(values))
        yield Arm(Source("share"), Shared(entity.name, giving_shares(verb)))

    def _through_parent(self, entity: EntitySpec, verb: str) -> tuple[Arm, ...]:
        field = entity.fields.get(entity.parent_field or "")
        parent = self.registry.entities.get(field.target or "") if field else None
        if field is None or parent is None:
            return ()
        followed = self.policy(parent, followed_verb(verb))
        if followed.nothing:
            return ()
        if followed.unlimited:
            return (Arm(Source("parent"), _EVERYTHING),)
        through = Arm(Source("parent"), Through(field.column, followed))
        return through, Arm(Source("creator"), Created(field.column))


def _counts(grant: Grant, verb: str) -> bool:
    """Reference records have no owner: any level lets their readers look, only level all lets anybody change them."""
    return verb == "view" or grant.level == "all"


def _reach(entity: EntitySpec, grant: Grant) -> Reach:
    return Within(grant.level) if entity.owned and grant.level != "all" else _EVERYTHING


def in_scope(scopes: Iterable[str] | None, entity: EntitySpec, verb: str) -> bool:
    """Whether a token's scopes reach a verb on an entity."""
    return scope_allows(scopes, entity.name, verb, class_pattern(entity))
