"""The typed error tree. Each error says what happened and, where it helps, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from gigacore.messages import Msg, joined, msg, verbatim
from gigacore.values import dataclass


def _as_msg(text: Msg | str) -> Msg:
    return text if isinstance(text, Msg) else Msg(text)


class GigaError(Exception):
    """Root of all errors raised on purpose.

    `code` is stable and machine-readable, `status` the HTTP status a host answers with, `message` what happened,
    `fix` what the reader can do about it.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: Msg | str, *, fix: Msg | str | None = None) -> None:
        self.message = _as_msg(message)
        self.fix = None if fix is None else _as_msg(fix)
        super().__init__(str(self.message))

    def __str__(self) -> str:
        return f"{self.message} {self.fix}" if self.fix else str(self.message)


class Misuse(GigaError):
    """The program used the library against its rules (no actor, commit inside a unit of work, unscoped SQL)."""

    code = "misuse"


class ConfigurationError(GigaError):
    """A setting is missing or wrong; the application must not start."""

    code = "configuration"


class PluginError(GigaError):
    """A plugin broke a rule of the framework. `plugin` names it."""

    code = "plugin"

    def __init__(self, plugin: str, message: Msg | str, *, fix: Msg | str | None = None) -> None:
        self.plugin = plugin
        super().__init__(message, fix=fix)


class Unauthenticated(GigaError):
    """Nobody is signed in, or the credentials are not valid."""

    code = "unauthenticated"
    status = 401


class Forbidden(GigaError):
    """The actor's roles do not allow this."""

    code = "forbidden"
    status = 403


class NotFound(GigaError):
    """Unknown, deleted or hidden: the reader cannot tell which.

    `sought` is the entity and id of the record that was asked for: if it is there but hidden, the attempt is recorded.
    """

    code = "not_found"
    status = 404

    def __init__(
        self,
        message: Msg | str | None = None,
        *,
        fix: Msg | str | None = None,
        sought: tuple[str, int] | None = None,
    ) -> None:
        self.sought = sought
        super().__init__(message or msg("There is nothing here, or you may not see it."), fix=fix)


class Conflict(GigaError):
    """The request contradicts the present state of the data."""

    code = "conflict"
    status = 409


class Locked(Conflict):
    """A business rule locks the record until an action allowed to unlock it is run."""

    code = "locked"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One record that stands in the way of an operation, for instance an invoice of a contact to delete."""

    entity: str
    id: int
    label: str | None


class InTheWay(Conflict):
    """Other records stand in the way. `obstacles` lists the first of them, `total` counts all by entity."""

    code = "in_the_way"

    def __init__(
        self,
        message: Msg | str,
        obstacles: Iterable[Obstacle],
        total: Mapping[str, int],
        *,
        fix: Msg | str | None = None,
    ) -> None:
        self.obstacles = tuple(obstacles)
        self.total = dict(total)
        super().__init__(message, fix=fix)


class StaleVersion(GigaError):
    """Somebody changed the record since it was read. `current` is the version that stands now."""

    code = "stale_version"
    status = 412

    def __init__(self, current: int | None = None) -> None:
        self.current = current
        super().__init__(
            msg("This record was changed by somebody else in the meantime."),
            fix=msg("Reload it and apply your change again."),
        )


class TooLarge(GigaError):
    """The input exceeds a limit of size."""

    code = "too_large"
    status = 413


class PreconditionRequired(GigaError):
    """The request must say which version of the record it changes (If-Match)."""

    code = "precondition_required"
    status = 428


class RateLimited(GigaError):
    """Too many tries. `retry_after` is in seconds."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: Msg | str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Unavailable(GigaError):
    """Not now: overload, maintenance, a quarantined plugin. `retry_after` is in seconds."""

    code = "unavailable"
    status = 503

    def __init__(self, message: Msg | str, *, retry_after: int = 5, fix: Msg | str | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message, fix=fix)


class Unsure(GigaError):
    """Somebody else was asked to act and nobody knows whether it happened: a person looks before it is tried again."""

    code = "unsure"
    status = 504

    def __init__(self, message: Msg | str | None = None, *, fix: Msg | str | None = None) -> None:
        super().__init__(
            message or msg("There was no answer: nobody knows whether it was done."),
            fix=fix or msg("Look whether it was done before you try again."),
        )


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value. `path` is the field's name, with dots and indexes into child rows."""

    path: str
    message: Msg
    code: str = "invalid"


class Invalid(GigaError):
    """The input is not acceptable; nothing was changed. `errors` holds one entry per value at fault."""

    code = "invalid"
    status = 422

    def __init__(
        self, message: Msg | str | None = None, *, errors: Iterable[FieldError] = (), fix: Msg | str | None = None
    ) -> None:
        self.errors = tuple(errors)
        if message is None:
            message = self.errors[0].message if len(self.errors) == 1 else msg("Some values are not valid.")
        super().__init__(message, fix=fix)

    @classmethod
    def of(cls, path: str, message: Msg, code: str = "invalid") -> Invalid:
        """One value at fault."""
        return cls(errors=[FieldError(path, message, code)])


class Abort(Invalid):
    """A hook's typed veto: the write is refused with the plugin's own words."""

    code = "aborted"


class Declined(Invalid):
    """Somebody outside refused for good: the same would be refused again. `reason` is their own code, if any."""

    code = "declined"

    def __init__(self, message: Msg | str, *, reason: str = "", fix: Msg | str | None = None) -> None:
        self.reason = reason
        super().__init__(message, fix=fix)


MOST_FAULTS: Final = 10


def worded(error: BaseException, labels: Mapping[str, str] = MappingProxyType({})) -> Msg:
    """An error for a log that people read in their own languages: what, where, and what to do.

    `labels` names the paths of values at fault. Errors of other origin are told in their own words.
    """
    if not isinstance(error, GigaError):
        return verbatim(str(error)[:500] or type(error).__name__)
    return joined(_words(error, labels))


def _words(error: GigaError, labels: Mapping[str, str]) -> Iterator[Msg]:
    faults = error.errors[:MOST_FAULTS] if isinstance(error, Invalid) else ()
    if error.message not in [fault.message for fault in faults]:
        yield error.message
    for fault in faults:
        yield msg("{path}: {message}", path=Msg(labels.get(fault.path, fault.path)), message=fault.message)
    if error.fix is not None:
        yield error.fix
