"""The promises of PDF makers and of signatures."""

from __future__ import annotations

import io
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from gigacore.errors import Conflict, Declined
from gigacore.plugins.provided import capabilities
from gigacore.ports import EnvelopeOrder, PdfMaker, PdfOrder, Signatures, Signer, SignState, pdf, signatures
from gigacore.testing.ports.port import KeyedContract, PortContract, listener, read

if TYPE_CHECKING:
    from gigacore import Crm

PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\nstartxref\n0\n%%EOF\n"
PAGE = (
    "<!doctype html><html lang='fr'><head><title>Devis</title>{head}</head>"
    "<body><h1>Devis n° 1</h1>{body}</body></html>"
)


class SignaturesContract(KeyedContract):
    """`sign` has somebody sign; without it nothing after the signature is tried."""

    port = Signatures
    known = signatures.CAPABILITIES
    people = (Signer("Ann", "ann@example.test", turn=1), Signer("Bob", "bob@example.test", turn=2))

    def sign(self, provided: Any, envelope_id: str, email: str) -> None:
        """Have this person sign, at the vendor."""
        pytest.skip("nobody signs: override sign")

    def sent(self, provided: Any, key: str = "sent", **values: Any) -> Any:
        """An envelope."""
        return provided.send(EnvelopeOrder("Offer", self.people, **values), io.BytesIO(PDF), key=key)

    def made(self, crm: Crm, provided: Any, key: str) -> Any:
        """An envelope."""
        return self.sent(provided, key)

    def test_the_same_key_asks_once(self, provided: Any) -> None:
        """Nobody is asked twice to sign the same."""
        made = self.once(lambda key: self.sent(provided, key))
        assert made.state is SignState.open
        assert [one.state for one in made.signers] == [SignState.open, SignState.waiting]
        assert provided.find(made.id) == made

    def test_what_it_cannot_do_is_declined(self, provided: Any) -> None:
        """No lower level instead of the one that was asked for, and nothing but a PDF with a signer."""
        for level in {"simple", "advanced", "qualified"} - capabilities(provided):
            with pytest.raises(Declined):
                self.sent(provided, f"level {level}", level=level)
        with pytest.raises(Declined):
            provided.send(EnvelopeOrder("Offer", self.people), io.BytesIO(b"no pdf"), key="no pdf")
        with pytest.raises(Declined):
            provided.send(EnvelopeOrder("Offer", ()), io.BytesIO(PDF), key="no signer")

    def test_a_cancelled_envelope_is_over(self, provided: Any) -> None:
        """And stays so."""
        made = self.sent(provided)
        assert provided.cancel(made.id, "typo").state is SignState.cancelled
        assert provided.cancel(made.id, "again").state is SignState.cancelled
        with pytest.raises(Conflict):
            provided.open_signed(made.id)

    def test_document_and_proof_are_there_once_everybody_signed(self, provided: Any) -> None:
        """In their order."""
        made = self.sent(provided)
        for opening in (provided.open_signed, provided.open_proof):
            with pytest.raises(Conflict):
                opening(made.id)
        for person in self.people:
            self.sign(provided, made.id, person.email)
        done = provided.find(made.id)
        assert done.state is SignState.signed
        assert all(one.at is not None and one.at.tzinfo for one in done.signers)
        assert read(provided.open_signed(made.id)).startswith(b"%PDF-")
        assert read(provided.open_proof(made.id))


class PdfMakerContract(PortContract):
    """A page becomes a file; nothing is fetched for it."""

    port = PdfMaker
    known = pdf.CAPABILITIES

    def asked(self, provided: Any) -> object:
        """A file."""
        return read(provided.make(PdfOrder(PAGE.format(head="", body=""))))

    def test_a_page_becomes_a_stream(self, provided: Any) -> None:
        """With the marks of a PDF at both ends."""
        for body in ("", "<p>Été — 12,50 €</p>" * 400):
            content = read(provided.make(PdfOrder(PAGE.format(head="", body=body))))
            assert content.startswith(b"%PDF-1."), content[:20]
            assert b"%%EOF" in content[-32:]

    def test_nothing_is_fetched(self, provided: Any) -> None:
        """Neither from the network nor from the disk: the page may hold what strangers wrote."""
        with listener() as (address, visitors):
            head = f"<link rel='stylesheet' href='{address}/a.css'><style>@import url({address}/b.css);</style>"
            body = f"<img src='{address}/c.png'><iframe src='{address}/d'></iframe><img src='file:///etc/hostname'>"
            with suppress(Declined):
                read(provided.make(PdfOrder(PAGE.format(head=head, body=body))))
        assert visitors == [], "the page made it connect"

    def test_what_it_cannot_make_is_declined(self, provided: Any) -> None:
        """Rather than left out."""
        order = PdfOrder(PAGE.format(head="", body=""), standard="pdf_a_3b")
        if "pdf_a_3b" in capabilities(provided):
            assert b"pdfaid" in inflated(read(provided.make(order))), "the file does not say which standard it keeps"
            return
        with pytest.raises(Declined):
            provided.make(order)


def inflated(content: bytes) -> bytes:
    """A PDF with what its compressed streams hold."""
    found = [content]
    for part in content.split(b"stream\n")[1:]:
        with suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(part))
    return b"".join(found)
