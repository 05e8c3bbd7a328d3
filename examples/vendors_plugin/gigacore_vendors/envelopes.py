"""Envelopes on this machine: who signs in which order, and a proof signed with a key of the installation's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson

from gigacore import NotFound, msg
from gigacore.errors import Conflict, Declined
from gigacore.ports import Envelope, EnvelopeOrder, Signed, SignState
from gigacore_vendors.ledger import Ledger

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from gigacore import Crm

MARK: Final = b"%PDF-"


class Envelopes:
    """Simple signatures (eIDAS article 3): who opens the envelope and signs is believed."""

    capabilities = frozenset({"simple"})

    def __init__(self, crm: Crm) -> None:
        self.clock = crm.clock
        self.seed = hmac.digest(crm.settings.encryption_key.encode(), b"vendors envelopes", hashlib.sha256)
        self.ledger = Ledger(crm.settings.data_dir / "vendors" / "envelopes")

    def send(self, order: EnvelopeOrder, document: BinaryIO, *, key: str) -> Envelope:
        """See `Signatures`. Nobody is mailed: `sign` is called instead."""
        content = document.read()
        if order.level not in self.capabilities or not order.signers or not content.startswith(MARK):
            raise Declined(msg("An envelope needs a PDF, a signer, and the level “simple”."), reason="envelope")

        def make(number: str) -> dict[str, Any]:
            self.ledger.keep(number, "pdf", content)
            signers = [{"name": one.name, "email": one.email, "turn": one.turn, "at": None} for one in order.signers]
            digest = hashlib.sha256(content).hexdigest()
            expires = order.expires_at.isoformat() if order.expires_at else None
            return {"title": order.title, "sha256": digest, "signers": signers, "expires": expires, "over": ""}

        return self._envelope(*self.ledger.once(key, make))

    def sign(self, envelope_id: str, email: str) -> Envelope:
        """One person signs. Raises NotFound, Conflict before this person's turn."""
        row = self.ledger.read(envelope_id)
        standing = self._envelope(envelope_id, row)
        mine = next((n for n, one in enumerate(standing.signers) if one.email == email), None)
        if mine is None:
            raise NotFound
        if standing.signers[mine].state is not SignState.open:
            raise Conflict(msg("It is not the turn of {email} to sign.", email=email))
        row["signers"][mine]["at"] = self.clock.now().isoformat()
        return self._envelope(envelope_id, self.ledger.change(envelope_id, signers=row["signers"]))

    def find(self, envelope_id: str) -> Envelope:
        """See `Signatures`."""
        return self._envelope(envelope_id, self.ledger.read(envelope_id))

    def open_signed(self, envelope_id: str) -> BinaryIO:
        """See `Signatures`. The document itself: the proof holds its digest."""
        self._needs_signed(envelope_id)
        return self.ledger.kept(envelope_id, "pdf").open("rb")

    def open_proof(self, envelope_id: str) -> BinaryIO:
        """See `Signatures`. JSON, with an Ed25519 signature over the rest of it."""
        row = self._needs_signed(envelope_id)
        told = {"envelope": envelope_id, "title": row["title"], "sha256": row["sha256"], "signers": row["signers"]}
        signature = self.key().sign(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))
        return io.BytesIO(orjson.dumps(told | {"signature": base64.b64encode(signature).decode()}))

    def cancel(self, envelope_id: str, reason: str) -> Envelope:
        """See `Signatures`."""
        if self.find(envelope_id).state is SignState.open:
            self.ledger.change(envelope_id, over=SignState.cancelled, reason=reason)
        return self.find(envelope_id)

    def key(self) -> Ed25519PrivateKey:
        """The key that signs proofs; its public half checks them."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def _needs_signed(self, envelope_id: str) -> dict[str, Any]:
        row = self.ledger.read(envelope_id)
        if self._envelope(envelope_id, row).state is not SignState.signed:
            raise Conflict(msg("Not everybody has signed."))
        return row

    def _envelope(self, number: str, row: dict[str, Any]) -> Envelope:
        turns = [one["turn"] for one in row["signers"] if one["at"] is None]
        over = self._over(row, bool(turns))
        signers = (self._signer(one, min(turns, default=0), over) for one in row["signers"])
        return Envelope(number, over or SignState.open, "simple", tuple(signers))

    def _over(self, row: dict[str, Any], waiting: bool) -> SignState | None:
        if row["over"]:
            return SignState(row["over"])
        if not waiting:
            return SignState.signed
        late = row["expires"] is not None and datetime.fromisoformat(row["expires"]) <= self.clock.now()
        return SignState.expired if late else None

    def _signer(self, one: dict[str, Any], turn: int, over: SignState | None) -> Signed:
        if one["at"] is not None:
            return Signed(one["email"], SignState.signed, datetime.fromisoformat(one["at"]))
        return Signed(one["email"], over or (SignState.open if one["turn"] == turn else SignState.waiting))
