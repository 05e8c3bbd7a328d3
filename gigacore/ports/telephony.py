"""Telephony: calls that an operator makes, their recordings, and text messages."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, Protocol

from gigacore.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gigacore.entity import Money

CAPABILITIES: Final = frozenset({"recording", "erase_recording", "texts"})
Direction = Literal["in", "out"]


class CallState(StrEnum):
    """How a call stands.

    `missed`: nobody talked (not answered, busy, cancelled); `voicemail`: so, but a message was left. A
    state of the vendor's that is not known counts as `ended`.
    """

    ringing = "ringing"
    talking = "talking"
    ended = "ended"
    missed = "missed"
    voicemail = "voicemail"
    failed = "failed"


class TextState(StrEnum):
    """How a text message stands; one that came in is `received`."""

    queued = "queued"
    sent = "sent"
    delivered = "delivered"
    failed = "failed"
    received = "received"


@dataclass(frozen=True, slots=True)
class Dial:
    """A call to make: the operator's device rings first, then `to_number`.

    `operator` is what the provider calls the person or device, a number for instance. `from_number` is shown to who is
    called. With `record` the caller has seen to it that the person is told.
    """

    operator: str
    to_number: str
    from_number: str = ""
    record: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of a call; with two `channels` the operator is on the first one, the other person on the second."""

    id: str
    seconds: float | None = None
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it stands. `seconds` is the time talked; `operator` who of the provider's users took part."""

    id: str
    direction: Direction
    state: CallState
    from_number: str
    to_number: str
    started_at: datetime
    answered_at: datetime | None = None
    seconds: int = 0
    operator: str = ""
    recordings: tuple[Recording, ...] = ()
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class TextOrder:
    """A text message to send."""

    from_number: str
    to_number: str
    text: str


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text message as it stands."""

    id: str
    direction: Direction
    state: TextState
    from_number: str
    to_number: str
    text: str
    at: datetime


class Telephony(Protocol):
    """Calls and texts (TEL-1 to TEL-7). Twilio and Ringover can both serve it.

    Neither knows idempotency keys for calls, so implementations keep them. What only one of them can (buying
    numbers, calls in the browser) is that plugin's own service.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """`recording`: calls can be recorded; `erase_recording`: at the vendor, too; `texts`: text messages."""

    def numbers(self) -> Sequence[str]:
        """The numbers of one's own from which calls and texts may go out. Raises Unavailable."""

    def dial(self, order: Dial, *, key: str) -> Call:
        """Make a call; the same key makes one. Raises Declined, Unavailable, Unsure."""

    def find(self, call_id: str) -> Call:
        """The call as it stands now. Raises NotFound, Unavailable."""

    def open_recording(self, recording_id: str) -> BinaryIO:
        """A recording, mp3 or wav, to be closed by the caller. Raises Unavailable while it is not ready, NotFound."""

    def erase_recording(self, recording_id: str) -> None:
        """Remove it at the vendor; one that is gone is no error. Raises Declined where that cannot be, Unavailable."""

    def send_text(self, order: TextOrder, *, key: str) -> TextMessage:
        """Send a text message; the same key sends one. Raises Declined (also without `texts`), Unavailable, Unsure."""

    def find_text(self, text_id: str) -> TextMessage:
        """The text message, sent or received, as it stands now. Raises NotFound, Unavailable."""
