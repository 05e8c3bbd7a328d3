"""What an operation on a plugin would change, over the core and all plugins; asking changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa

from gigacore import migrate
from gigacore.data.door import SCOPED
from gigacore.data.engine import reading
from gigacore.errors import GigaError, NotFound
from gigacore.files.container import Container
from gigacore.files.sealed import Secrets
from gigacore.files.tables import core_file
from gigacore.jobs.tables import PARKED, QUEUED, core_job
from gigacore.messages import Msg, msg
from gigacore.migrate import History
from gigacore.plugins import soft, stored
from gigacore.plugins.footprint import OWNED
from gigacore.plugins.histories import history_of
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.order import dependents
from gigacore.plugins.reinstallation import check_revision, checked
from gigacore.plugins.removal import Belongings, check_removable, count_rows
from gigacore.plugins.stored import StoredPlugin
from gigacore.plugins.tables import DISABLED
from gigacore.plugins.usage import World, stranded
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm

Operation = Literal["install", "enable", "upgrade", "disable", "uninstall", "reinstall"]
OPERATIONS: Final[tuple[Operation, ...]] = ("install", "enable", "upgrade", "disable", "uninstall", "reinstall")
ADD, REMOVE, KEEP, TOUCH = "+", "-", "=", "!"
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan; `sign`: + what comes, - what goes, = what stays although unused, ! what depends on it."""

    sign: str
    what: Msg


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the operation would be refused, and what to do about it."""

    reason: Msg
    fix: Msg | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one operation by kind. `dependents` are the installed plugins that require this one."""

    operation: Operation
    plugin: str
    label: str
    dependents: tuple[str, ...] = ()
    refusal: Refusal | None = None
    schema: tuple[Change, ...] = ()
    data: tuple[Change, ...] = ()
    permissions: tuple[Change, ...] = ()
    routes: tuple[Change, ...] = ()
    jobs: tuple[Change, ...] = ()
    settings: tuple[Change, ...] = ()
    users: tuple[Change, ...] = ()

    def sections(self) -> Iterator[tuple[Msg, tuple[Change, ...]]]:
        """The kinds of changes that there are, with their headings."""
        titled = (
            (msg("Tables and fields"), self.schema),
            (msg("Records and files"), self.data),
            (msg("Rights"), self.permissions),
            (msg("Addresses"), self.routes),
            (msg("Jobs"), self.jobs),
            (msg("Settings and lists"), self.settings),
            (msg("Views, automations and rights that use it"), self.users),
        )
        yield from ((title, changes) for title, changes in titled if changes)


def plan(
    crm: Crm, operation: Operation, plugin: str, *, archive: Path | None = None, secrets: Secrets | None = None
) -> Plan:
    """What the operation would do to tables, records, rights, addresses, jobs, settings; why it would be refused.

    Imports the plugin's code where the operation needs it. `archive` and `secrets` are for `reinstall`, which reads the
    newest archive with the installation's secrets otherwise. Raises NotFound for a plugin that nobody knows.
    """
    with reading(crm.engine).execution_options(**{SCOPED: True}).connect() as connection:
        known = stored.read(connection)
        if plugin not in known and plugin not in crm.plugins.candidates:
            raise NotFound(msg("There is no plugin {name}.", name=plugin), fix=msg("See `giga plugin list`."))
        planner = _Planner(crm, connection, known, operation, plugin)
        return planner.returning(archive, secrets) if operation == "reinstall" else planner.plan()


@dataclass(slots=True)
class _Planner:
    crm: Crm
    connection: sa.Connection
    known: Mapping[str, StoredPlugin]
    operation: Operation
    name: str

    def plan(self) -> Plan:
        row = self.known.get(self.name)
        code, refusal = self._code()
        refusal = refusal or self._refusal(row)
        before = row.manifest if row else NOTHING
        after = stored.describe(code) if code else NOTHING
        label = str(after.get("label") or before.get("label") or self.name)
        needing = tuple(dependents(self.known, self.name))
        base = Plan(self.operation, self.name, label, needing, refusal)
        if self.operation == "disable":
            return self._disabling(base, before)
        if self.operation == "uninstall":
            return self._removing(base, before)
        running = before if row and row.state != DISABLED else NOTHING
        return self._coming(base, before, running, after, code)

    def returning(self, archive: Path | None, secrets: Secrets | None) -> Plan:
        """What an archive would bring back; the archive is read wholly and checked as for the operation."""
        base = Plan("reinstall", self.name, self.name, tuple(dependents(self.known, self.name)))
        try:
            with checked(self.crm, self.name, archive, secrets) as opened:
                code = self.crm.plugins.examine(self.name)[0]
                check_revision(opened, code)
                after = stored.describe(code)
                base = replace(base, label=str(after["label"]))
                coming = self._coming(base, NOTHING, NOTHING, after, code)
                return replace(coming, data=(*coming.data, *_archived(opened)))
        except GigaError as error:
            return replace(base, refusal=Refusal(error.message, error.fix))

    def _code(self) -> tuple[Plugin | None, Refusal | None]:
        """The plugin's code, or why it does not run here; what goes needs none."""
        if self.operation in ("disable", "uninstall"):
            return None, None
        return _asked(lambda: self.crm.plugins.examine(self.name)[0])

    def _refusal(self, row: StoredPlugin | None) -> Refusal | None:
        if self.operation == "disable":
            return _asked(lambda: self.crm.plugins.check_disabling(self.known, self.name))[1]
        if self.operation == "uninstall":
            now = self.crm.clock.now()
            return _asked(lambda: check_removable(self.crm, self.connection, self.name, now))[1]
        return _asked(lambda: stored.check_state(self.operation, self.name, row))[1]

    def _coming(
        self,
        base: Plan,
        before: Mapping[str, Any],
        running: Mapping[str, Any],
        after: Mapping[str, Any],
        code: Plugin | None,
    ) -> Plan:
        if code is None:
            return base
        pending = migrate.state(self.connection, history_of(code)).pending
        steps = tuple(Change(ADD, msg("migration {name}", name=name)) for name in pending)
        return replace(
            base,
            schema=(*steps, *_schema(before, after)),
            data=self._parked(ADD),
            permissions=_grants(before, after),
            routes=_named(running, after, "routes", Msg),
            jobs=_jobs(running, after),
            settings=_settings(running, before, after),
        )

    def _disabling(self, base: Plan, before: Mapping[str, Any]) -> Plan:
        tables = Belongings.of(self.connection, self.known, self.name).tables if self.name in self.known else ()
        kept = tuple(_rows(KEEP, name, count_rows(self.connection, name)) for name in tables)
        return replace(
            base,
            data=(*kept, *self._parked(KEEP)),
            routes=_named(before, NOTHING, "routes", Msg),
            jobs=_jobs(before, NOTHING),
            users=tuple(self._users()),
        )

    def _users(self) -> Iterator[Change]:
        """What people configured that names a part of it, while it runs."""
        plugin = next((one for one in self.crm.plugins.enabled if one.name == self.name), None)
        if plugin is None:
            return
        offers = [*(one.name for one in plugin.rule_triggers), *(one.name for one in plugin.rule_actions)]
        world = World(self.crm.registry, self.crm.automation.kit)
        for text in stranded(self.connection, world, world.without_plugin(self.name, offers)):
            yield Change(TOUCH, text)

    def _removing(self, base: Plan, before: Mapping[str, Any]) -> Plan:
        if self.name not in self.known:
            return base
        found = Belongings.of(self.connection, self.known, self.name)
        version = History(self.name, Path()).version_table
        return replace(
            base,
            schema=tuple(Change(REMOVE, msg("table {name}", name=name)) for name in (*found.tables, version)),
            data=tuple(self._going(found)),
            permissions=_grants(before, NOTHING),
            routes=_named(before, NOTHING, "routes", Msg),
            jobs=_jobs(before, NOTHING),
            settings=_settings(before, before, NOTHING),
        )

    def _going(self, found: Belongings) -> Iterator[Change]:
        """Rows of its own tables, rows of the core that go with it, what others refer to, files."""
        for name in found.tables:
            yield _rows(REMOVE, name, count_rows(self.connection, name))
        for owned in OWNED:
            if count := owned.count(self.connection, self.name):
                yield _rows(REMOVE, owned.table.name, count)
        for column in found.soft:
            if count := soft.count(self.connection, column):
                place = f"{column.table}.{column.column}"
                yield Change(REMOVE, msg("{count} references in {place} are emptied", count=count, place=place))
        for one in soft.foreign_fields(self.connection, self.name):
            yield Change(
                REMOVE, msg("values of the custom field {field} of {entity}", field=one.key, entity=one.entity)
            )

    def _parked(self, sign: str) -> tuple[Change, ...]:
        j = core_job.c
        waiting = sa.select(sa.func.count()).where(j.plugin == self.name, j.state.in_((QUEUED, PARKED)))
        count = self.connection.scalar(waiting)
        if not count:
            return ()
        text = msg("{count} waiting jobs are laid aside", count=count)
        return (Change(sign, text if sign == KEEP else msg("{count} jobs that were laid aside run", count=count)),)


def _archived(opened: Container) -> Iterator[Change]:
    """The rows and files of an archive; rows whose record is gone since are left out when it comes back."""
    for name in opened.manifest["entries"]:
        folder, _, own = name.partition("/")
        if folder in ("tables", "core") and own != core_file.name and (count := sum(1 for _ in opened.lines(name))):
            yield _rows(ADD, own, count)
    if count := sum(name.startswith("files/") for name in opened.manifest["entries"]):
        yield _rows(ADD, core_file.name, count)


def _asked(call: Callable[[], Any]) -> tuple[Any, Refusal | None]:
    try:
        return call(), None
    except GigaError as error:
        return None, Refusal(error.message, error.fix)


def _rows(sign: str, table: str, count: int) -> Change:
    if table == core_file.name:
        return Change(sign, msg("{count} files", count=count))
    return Change(sign, msg("{count} rows of {name}", name=table, count=count))


def _named(
    before: Mapping[str, Any], after: Mapping[str, Any], key: str, make: Callable[[str], Msg]
) -> tuple[Change, ...]:
    """What a list of names in the manifest gains and loses."""
    old, new = before.get(key, ()), after.get(key, ())
    gone = (Change(REMOVE, make(name)) for name in old if name not in new)
    come = (Change(ADD, make(name)) for name in new if name not in old)
    return (*gone, *come)


def _schema(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    found = [*_named(before, after, "tables", lambda name: msg("table {name}", name=name))]
    for kind in ("entities", "extensions"):
        old, new = before.get(kind, {}), after.get(kind, {})
        for entity in {**old, **new}:
            fields = {"fields": _fields(old.get(entity))}, {"fields": _fields(new.get(entity))}
            names = list(_named(*fields, "fields", Msg))
            for sign in (REMOVE, ADD):
                if these := ", ".join(str(one.what) for one in names if one.sign == sign):
                    found.append(Change(sign, msg("fields of {entity}: {names}", entity=entity, names=these)))
    return tuple(found)


def _fields(described: Any) -> list[str]:
    return list(described["fields"] if isinstance(described, Mapping) else described or ())


def _grants(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    old, new = before.get("grants", []), after.get("grants", [])
    gone = ((REMOVE, grant) for grant in old if grant not in new)
    come = ((ADD, grant) for grant in new if grant not in old)
    roles = tuple(
        Change(sign, msg("role {role}: {verb} {entity} ({level})", role=role, entity=entity, verb=verb, level=level))
        for sign, (role, entity, verb, level) in (*gone, *come)
    )
    return (*_named(before, after, "tools", lambda name: msg("right to {name}", name=name)), *roles)


def _jobs(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return (
        *_named(before, after, "jobs", lambda name: msg("job {name}", name=name)),
        *_named(before, after, "schedules", lambda name: msg("schedule {name}", name=name)),
        *_named(before, after, "consumers", lambda name: msg("consumer of events {name}", name=name)),
    )


def _settings(running: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return (
        *_named(running, after, "settings", lambda name: msg("setting {name}", name=name)),
        *_named(before, after, "choices", lambda name: msg("list {name}", name=name)),
    )
