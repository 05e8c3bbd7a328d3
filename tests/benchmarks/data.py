"""Deterministic leads for the benchmark: 200 cities and 200 regions, so that one of either selects 0.5 %."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_SYLLABLES: Final = (
    "an be cor del el fin gar hol is jo kar lin mar nor os pet quin ros sten tor ul var wil xen yar zan".split()
)


@dataclass(frozen=True, slots=True)
class Row:
    """One lead."""

    first_name: str
    last_name: str
    email: str
    phone: str
    company_name: str
    city: str
    region: str
    rank: int
    since: str


def words(count: int, syllables: int, seed: int) -> list[str]:
    """`count` different capitalised words."""
    source, found = random.Random(seed), set[str]()
    while len(found) < count:
        found.add("".join(source.choice(_SYLLABLES) for _ in range(syllables)).capitalize())
    return sorted(found)


def cities() -> list[str]:
    """The cities that leads live in."""
    return words(200, 3, 3)


def rows(count: int, *, seed: int = 42, start: int = 0) -> Iterator[Row]:
    """`count` leads, the same for the same arguments."""
    first, last, towns, firms = words(500, 2, 1), words(3000, 3, 2), cities(), words(2000, 3, 4)
    source, day = random.Random(seed), date(2015, 1, 1)
    for number in range(start, start + count):
        f, n, c = source.choice(first), source.choice(last), source.choice(firms)
        yield Row(
            first_name=f,
            last_name=n,
            email=f"{f}.{n}.{number}@{c}.example.com".lower(),
            phone=f"+1{2_000_000_000 + number}",
            company_name=f"{c} Ltd",
            city=source.choice(towns),
            region=f"region-{source.randrange(200):03d}",
            rank=source.randrange(1000),
            since=(day + timedelta(days=source.randrange(4000))).isoformat(),
        )
