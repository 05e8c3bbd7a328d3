"""What plugins declare: jobs, schedules and consumers of events."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gigacore.errors import Misuse
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.jobs.relay import Event
    from gigacore.jobs.run import JobRun

Payload = Mapping[str, Any]
JOB_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
NOTHING: Final[Payload] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Job:
    """Work that runs later, at least once, in a worker.

    `name` is `<plugin>.<name>`. `handler(ctx, payload)` runs inside one unit of work in which the job is also marked
    done, so that its effects on data happen exactly once. With `long=True` it is called as `handler(run, payload)`
    outside any transaction and opens its own (`run.unit_of_work()`); it reports progress, and must bear being run
    again after a crash. A handler raises to be tried again, at most `attempts` times, after 10 s, 40 s, 160 s ...
    (`backoff` times 4 each time, at most one hour); then the job is a dead letter. The actor is the enqueuing user with
    the rights of the moment of running, or the system when `system` gives a reason. Up to `together` short jobs of one
    name that came from one transaction run in one; when that fails, each runs by itself. A `version` above 1 names the
    form of the payload: while old and new workers run side by side, an older one parks what it cannot know.
    """

    name: str
    handler: Callable[[Any, Payload], object]
    label: str = ""
    long: bool = False
    attempts: int = 5
    backoff: timedelta = timedelta(seconds=10)
    priority: int = 5
    together: int = 50
    system: str = ""
    plugin: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        if not JOB_NAME.fullmatch(self.name):
            raise Misuse(msg("“{name}” is no name of a job; it must look like plugin.verb.", name=self.name))
        if not self.plugin:
            object.__setattr__(self, "plugin", self.name.split(".", 1)[0])

    def delay(self, attempts: int) -> timedelta:
        """How long to wait after that many failed attempts."""
        factor: int = 4 ** max(0, min(attempts - 1, 10))
        return min(self.backoff * factor, timedelta(hours=1))


LongHandler = Callable[["JobRun", Payload], object]
ShortHandler = Callable[["Context", Payload], object]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Enqueues `job` by a crontab line (`cron="0 3 * * 1-5"`, in `timezone`) or at a fixed distance (`every`).

    Administrators may switch it off or change its time; the declaration only gives the first values.
    """

    name: str
    job: str
    cron: str = ""
    every: timedelta | None = None
    payload: Payload = field(default_factory=lambda: NOTHING)
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if bool(self.cron) == bool(self.every):
            raise Misuse(
                msg("Schedule {name} needs either cron or every.", name=self.name),
                fix=msg('Give one of the two: cron="0 3 * * *" or every=timedelta(hours=1).'),
            )

    @property
    def plugin(self) -> str:
        """The plugin that declares it."""
        return self.name.split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Consumer:
    """Receives committed events whose name matches one of `events` (`crm.lead.*`, `crm.lead.updated`, `*`).

    `handle(ctx, event)` runs as the system in one unit of work in which the delivery is also marked done: at least
    once, and exactly once for what it writes there. `ordered` gives the events of one record in their order: a failed
    delivery holds back the record's later ones. A consumer that raises is tried again `attempts` times over about
    three days, then the delivery is a dead letter. `name` is `<plugin>.<name>`. `long=True` = `handle(crm, event)`
    outside any transaction, for work on the network.
    """

    name: str
    events: Sequence[str]
    handle: Callable[[Any, Event], object]
    ordered: bool = False
    long: bool = False
    attempts: int = 10
    plugin: str = ""
    exact: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        if not JOB_NAME.fullmatch(self.name):
            raise Misuse(msg("“{name}” is no name of a consumer; it must look like plugin.verb.", name=self.name))
        object.__setattr__(self, "events", tuple(self.events))
        object.__setattr__(self, "exact", frozenset(name for name in self.events if "*" not in name))
        if not self.plugin:
            object.__setattr__(self, "plugin", self.name.split(".", 1)[0])

    def wants(self, name: str) -> bool:
        """Whether an event of that name is delivered to this consumer."""
        return name in self.exact or any(fnmatchcase(name, pattern) for pattern in self.events)
