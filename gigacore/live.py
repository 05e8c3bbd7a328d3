"""Messages to whoever has a page open just now: a phone rings, a colleague calls. Never stored, never repeated.

What must not be lost is a record, an event or a notification; this is for what nobody needs to hear later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import orjson

from gigacore.errors import Invalid, Misuse
from gigacore.messages import msg
from gigacore.values import dataclass

MOST_BYTES: Final = 4_000
"""PostgreSQL carries at most 8,000 bytes between processes: https://www.postgresql.org/docs/current/sql-notify.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """A kind of message, declared with `Plugin(declares=[LiveEvent(...)])`; its name carries the plugin's name."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """What one person is told; `data` is plain JSON."""

    user_id: int
    kind: str
    data: Mapping[str, object]


Carrier = Callable[[LiveMessage], object]


class Live:
    """Hands messages to whoever carries them: the open pages of this process, the channel to others."""

    def __init__(self, kinds: Callable[[], Iterable[LiveEvent]], carriers: Iterable[Carrier] = ()) -> None:
        self._kinds = kinds
        self.carriers = list(carriers)

    def send(self, user_id: int, kind: str, data: Mapping[str, object]) -> None:
        """Tell every open page of a person, at once and outside any transaction; pages get the event `giga:live`.

        Who may know what is in `data` is for the caller to decide. Raises Misuse for a kind that no running plugin
        declares, Invalid for data that is no JSON or of more than 4,000 bytes.
        """
        if kind not in {known.name for known in self._kinds()}:
            raise Misuse(
                msg("No plugin declares the live event {name}.", name=kind),
                fix=msg("Declare it: Plugin(declares=[LiveEvent(...)])."),
            )
        try:
            size = len(orjson.dumps(data))
        except TypeError as error:
            raise Invalid.of("data", msg("Data of a live event is JSON."), "type") from error
        if size > MOST_BYTES:
            raise Invalid.of("data", msg("Data of a live event is at most {most} bytes.", most=MOST_BYTES), "too_long")
        for carry in tuple(self.carriers):
            carry(LiveMessage(user_id, kind, data))
