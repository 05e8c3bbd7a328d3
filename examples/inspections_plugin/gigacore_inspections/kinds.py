"""What other plugins may bring: lines of checklists, and somebody who signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Checklist:
    """One line to look at on every record of an entity; declared with `Plugin(declares=[Checklist(...)])`."""

    entity: str
    text: str


class Signer(Protocol):
    """A port: signs reports. Provided with `Plugin(provides={Signer: ...})`; reports stay unsigned without one."""

    def sign(self, text: str) -> str:
        """A signature of the text."""
