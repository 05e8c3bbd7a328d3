"""Signing: provides the port and the kind of value that inspections ask for; inspections work without it too."""

import hashlib

from gigacore_inspections import Checklist, Signer

from gigacore import Plugin


class Stamp:
    """Signs by a hash: enough for an example."""

    def sign(self, text: str) -> str:
        """The first half of the SHA-256 of the text."""
        return hashlib.sha256(text.encode()).hexdigest()[:32]


plugin = Plugin(
    "signing",
    label="Signing of inspections",
    requires=["inspections"],
    provides={Signer: Stamp()},
    declares=[Checklist("equipment.machine", "The seal is unbroken")],
)
