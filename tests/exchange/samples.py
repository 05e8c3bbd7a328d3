"""Small files in the shape of the exports that people bring, made for each run; the large real ones where present."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from gigacore.context import Context
from gigacore.exchange.export import Translate, Wording, prepare
from gigacore.exchange.export import as_csv as written
from gigacore.records import ListRequest

REAL = Path(__file__).parents[3] / "shared/data"
LEAD_HEADINGS = ("Index,Account Id,Lead Owner,First Name,Last Name,Company,Phone 1,Phone 2,Email 1,Email 2,Website,"
                 "Source,Deal Stage,Notes").split(",")  # fmt: skip
CUSTOMER_HEADINGS = ("Index,Customer Id,First Name,Last Name,Company,City,Country,Phone 1,Phone 2,Email,"
                     "Subscription Date,Website").split(",")  # fmt: skip
FIRST = ["Zoé", "Léa", "Ann", "Jörg", "Noël", "Tom", "Inès", "Per"]
LAST = ["Martin", "O'Neill", "Müller", "Lefèvre", "Østergård", "Petit", "van der Berg"]
COMPANIES = ["Dupont & Fils", "Gray LLC", "Smith, Lee and Sons", "Café du Port", "Nord-Ouest SA"]
STAGES = ["New Lead", "Contacted", "Qualified", "Closed Won", "Closed Lost", "Negotiation", "On Hold", "Disqualified",
          "Proposal Sent", "Re-engagement"]  # fmt: skip
SOURCES = ["Google Ads", "Referral", "Trade Show", "Other"]


def phone(chance: random.Random) -> str:
    digits = f"{chance.randrange(200, 999)}-{chance.randrange(200, 999)}-{chance.randrange(1000, 9999)}"
    return chance.choice(
        [digits, f"+1-{digits}x{chance.randrange(100, 99999)}", f"({digits[:3]}){digits[4:]}", f"001-{digits}"]
    )


def leads(rows: int) -> list[list[str]]:
    chance = random.Random(7)
    return [
        [str(n), f"Acc{n:07d}", "Lindsay Weaver", chance.choice(FIRST), chance.choice(LAST), chance.choice(COMPANIES),
         phone(chance), phone(chance), f"p{n}@example.org", f"q{n}@example.net", f"https://site{n}.example.com/",
         chance.choice(SOURCES), STAGES[(n - 1) % len(STAGES)], f"Line one\nof note {n}"]
        for n in range(1, rows + 1)
    ]  # fmt: skip


def customers(rows: int) -> list[list[str]]:
    chance = random.Random(8)
    return [
        [str(n), f"Cus{n:07d}", chance.choice(FIRST), chance.choice(LAST), chance.choice(COMPANIES), "Lyon", "France",
         phone(chance), phone(chance), f"c{n}@example.org", "2024-05-01", f"https://c{n}.example.com/"]
        for n in range(1, rows + 1)
    ]  # fmt: skip


def as_csv(headings: list[str], rows: list[list[str]], *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([headings, *rows])
    return text.getvalue().encode(encoding)


def real(name: str) -> bytes:
    path = REAL / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


def exported_csv(ctx: Context, entity: str, request: ListRequest | None = None, *, translate: Translate = str) -> bytes:
    """An export as the command line writes it in English."""
    return b"".join(written(prepare(ctx, entity, request, Wording(translate, "en")), ","))
