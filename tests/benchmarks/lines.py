"""What the benchmark prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Line:
    """One result; for growth and memory `by_hand` is ours with less data."""

    name: str
    ours: float
    by_hand: float
    unit: str
    limit: str
    passed: bool
    processor: float | None = None
    """The ratio of processor time, which other work on the machine hardly changes; without waiting for the disk."""

    def __str__(self) -> str:
        ratio = self.ours / self.by_hand if self.by_hand else float("nan")
        times, mark = (
            f"{self.ours:11.2f}{self.by_hand:11.2f} {self.unit:7}",
            ("ok" if self.passed else "OVER") if self.limit else "",
        )
        processor = "" if self.processor is None else f"{self.processor:.2f}"
        return f"{self.name:44}{times}{ratio:7.2f}{processor:>7}   {self.limit:10}{mark}"


HEAD: Final = f"{'':44}{'ours':>11}{'by hand':>11} {'':7}{'ratio':>7}{'cpu':>7}   {'goal':10}"
