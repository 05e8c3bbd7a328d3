"""Signatures: a document that people sign, in order, with a proof of who did what."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from gigacore.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

CAPABILITIES: Final = frozenset({"simple", "advanced", "qualified", "code_by_mail", "code_by_text"})


class SignState(StrEnum):
    """How an envelope or one signer stands. A signer is `waiting` until everybody with a lower `turn` has signed."""

    waiting = "waiting"
    open = "open"
    signed = "signed"
    refused = "refused"
    expired = "expired"
    cancelled = "cancelled"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs. Those with the same `turn` may sign at the same time, a lower one goes first."""

    name: str
    email: str
    phone: str = ""
    turn: int = 1
    language: str = ""


@dataclass(frozen=True, slots=True)
class EnvelopeOrder:
    """What shall be signed by whom. `level` as eIDAS (EU 910/2014, article 3) has it: simple, advanced, qualified.

    Asking for a level that is no capability is `Declined`: a lower one is never given instead.
    """

    title: str
    signers: tuple[Signer, ...]
    level: str = "simple"
    message: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """One signer as it stands. `url` is where this person signs, where the caller may hand it on; else it is mailed."""

    email: str
    state: SignState
    at: datetime | None = None
    url: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A document on its way, as it stands: `open`, `signed` by all, `refused`, `expired` or `cancelled`."""

    id: str
    state: SignState
    level: str
    signers: tuple[Signed, ...]


class Signatures(Protocol):
    """Has documents signed (DOC-3): a plugin's own PAdES sealing or a provider's service can both serve it."""

    @property
    def capabilities(self) -> frozenset[str]:
        """The levels, and how signers are identified: `code_by_mail`, `code_by_text`."""

    def send(self, order: EnvelopeOrder, document: BinaryIO, *, key: str) -> Envelope:
        """Ask for signatures of a PDF, read to its end and left open; the same key asks once.

        Raises Declined (no signer, no PDF, a level it has not), Unavailable, Unsure.
        """

    def find(self, envelope_id: str) -> Envelope:
        """The envelope as it stands now. Raises NotFound, Unavailable."""

    def open_signed(self, envelope_id: str) -> BinaryIO:
        """The sealed PDF, to be closed by the caller.

        Raises Conflict before everybody signed, NotFound, Unavailable.
        """

    def open_proof(self, envelope_id: str) -> BinaryIO:
        """Who did what when, with the digests of the document: a PDF or JSON, to be closed by the caller.

        Raises Conflict before everybody signed, NotFound, Unavailable.
        """

    def cancel(self, envelope_id: str, reason: str) -> Envelope:
        """Nobody signs any more; an envelope that is over stays as it is. Raises NotFound, Unavailable."""
