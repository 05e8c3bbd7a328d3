"""Invented persons and companies, always the same ones for the same seed."""

from __future__ import annotations

import random
import re
from typing import Any, Final

from gigacore.crm.demo_words import ENGLISH, FRENCH, Place, Words, words
from gigacore.entity import fold
from gigacore.values import dataclass

CURRENCIES: Final = ("EUR", "EUR", "EUR", "EUR", "USD", "GBP", "CHF")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    first: str
    last: str
    email: str
    phone: str
    job: str
    place: Place
    street: str


class Cast:
    """Invents persons and companies; a quarter of them speak the other language."""

    def __init__(self, lang: str, seed: int = 2026) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a demo, not a secret
        self.words = words(lang)
        self._other = ENGLISH if self.words is FRENCH else FRENCH
        self._taken: set[str] = set()

    def choose(self, of: Any) -> Any:
        """One of several."""
        return self.random.choice(of)

    def person(self, company: str = "") -> Person:
        """A person, with an address at the company if one is named."""
        from_ = self._words()
        first, last = self.choose(self.choose((from_.women, from_.men))), self.choose(from_.families)
        place, street = self.choose(from_.places), f"{self.random.randint(1, 120)} {self.choose(from_.streets)}"
        host = f"{slug(company)}.example" if company else f"{self.choose(('mail', 'post', 'webmail'))}.{from_.domain}"
        email = self._unique(f"{slug(first)}.{slug(last)}", host)
        return Person(first, last, email, self.phone(from_), self.choose(from_.jobs), place, street)

    def company(self) -> tuple[str, str, Place, str]:
        """A company's name, industry, place and street, no name twice."""
        while True:
            from_ = self._words()
            pattern, industry = self.choose(from_.trades)
            name = pattern.format(self.choose(from_.families))
            if name not in self._taken:
                self._taken.add(name)
                street = f"{self.random.randint(1, 120)} {self.choose(from_.streets)}"
                return name, industry, self.choose(from_.places), street

    def phone(self, from_: Words | None = None) -> str:
        """A number that looks like one of the country's."""
        pairs = [f"{self.random.randint(10, 99)}" for _ in range(4)]
        return (from_ or self.words).phone.format(self.random.randint(1, 6), *pairs)

    def money(self, low: int, high: int) -> dict[str, str]:
        """A round amount, mostly in euros."""
        amount = self.random.randint(low // 50, high // 50) * 50
        return {"amount": str(amount), "currency": self.choose(CURRENCIES)}

    def _words(self) -> Words:
        return self._other if self.random.random() < 0.25 else self.words

    def _unique(self, local: str, host: str) -> str:
        number, email = 1, f"{local}@{host}"
        while email in self._taken:
            number += 1
            email = f"{local}{number}@{host}"
        self._taken.add(email)
        return email


def slug(text: str) -> str:
    """A name as part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")
