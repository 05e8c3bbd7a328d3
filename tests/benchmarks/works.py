"""The requests that are compared, as ours and the side written by hand are asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import orjson

from tests.benchmarks.by_hand import as_body
from tests.benchmarks.data import cities, rows, words
from tests.benchmarks.servers import Client

FIELDS: Final = "first_name,last_name,email,phone,company_name,city,x_region,x_rank,x_since,created_at,updated_at"


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request on both sides and the ratio that it must not exceed, if there is one."""

    name: str
    ours: Callable[[Client, int], None]
    by_hand: Callable[[Client, int], None]
    limit: float | None
    times: int = 200
    page: bool = False
    """Whether ours is asked with a session's cookie, as a browser does."""


def _get(path: Callable[[int], str]) -> Callable[[Client, int], None]:
    def call(client: Client, number: int) -> None:
        status, body = client.send("GET", path(number))
        if status != 200:
            raise SystemExit(f"{path(number)} answered {status}: {body[:300]!r}")

    return call


def _post(path: str, bodies: Iterator[bytes]) -> Callable[[Client, int], None]:
    def call(client: Client, number: int) -> None:
        status, body = client.send("POST", path, next(bodies), {"Content-Type": "application/json"})
        if status != 201:
            raise SystemExit(f"{path} answered {status}: {body[:300]!r}")

    return call


def _patch(path: str) -> Callable[[Client, int], None]:
    """Change the city of one record after the other, each for the first time."""
    numbers, towns = itertools.count(1), cities()

    def call(client: Client, number: int) -> None:
        record = next(numbers)
        body = orjson.dumps({"city": towns[record % len(towns)][::-1]})
        status, answer = client.send(
            "PATCH", f"{path}/{record}", body, {"Content-Type": "application/json", "If-Match": '"1"'}
        )
        if status != 200:
            raise SystemExit(f"{path}/{record} answered {status}: {answer[:300]!r}")

    return call


def _bodies(start: int) -> Iterator[bytes]:
    for row in rows(1_000_000, seed=7, start=start):
        yield orjson.dumps(as_body(row))


def our_paths() -> dict[str, Callable[[int], str]]:
    """What is asked of ours, differently at each turn, by the name of the work."""
    towns, names = cities(), words(3000, 3, 2)
    api, listing = "/api/v1/crm/leads", f"sort=last_name&fields={FIELDS}&limit=50"
    columns = "fields=name,email,phone,company_name,city,x_region,x_rank,x_since"
    return {
        "W3": lambda n: f"{api}?city={quote(towns[n % len(towns)])}&{listing}",
        "W3c": lambda n: f"{api}?x_region=region-{n % 200:03d}&{listing}",
        "W4": lambda n: f"/crm/leads?city={quote(towns[n % len(towns)])}&sort=last_name&{columns}",
        "W7": lambda n: f"/crm/leads/options?q={names[n * 7 % len(names)].lower()}",
    }


def reading_works() -> list[Work]:
    """The requests that read, on both sides."""
    towns, names, ours = cities(), words(3000, 3, 2), our_paths()

    def town(number: int) -> str:
        return quote(towns[number % len(towns)])

    def name(number: int) -> str:
        return names[number * 7 % len(names)].lower()

    by_hand: dict[str, tuple[str, Callable[[int], str], float]] = {
        "W3": ("API list of 50, filter, sort", lambda n: f"/api/leads?city={town(n)}", 1.35),
        "W3c": ("the same, custom field", lambda n: f"/api/leads?x_region=region-{n % 200:03d}", 1.35),
        "W4": ("page of 50", lambda n: f"/leads?city={town(n)}", 1.35),
        "W7": ("search, 12 newest", lambda n: f"/api/search?q={name(n)}", 1.5),
    }
    return [
        Work(f"{key} {label}", _get(ours[key]), _get(path), limit, page=key in ("W4", "W7"))
        for key, (label, path, limit) in by_hand.items()
    ]


def works() -> list[Work]:
    """Every request that is compared."""
    api = "/api/v1/crm/leads"
    return [
        *reading_works(),
        Work("W6 change, told to one consumer", _patch(api), _patch("/api/leads"), None, times=100),
        Work("W2 create", _post(api, _bodies(10**7)), _post("/api/leads", _bodies(2 * 10**7)), 1.8, times=100),
    ]
