"""A request that reads takes one connection, and gives it back however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from gigacore import Crm

ENDINGS = {
    "/crm/leads": 200,
    "/crm/leads/999999": 404,
    "/no/such/page": 404,
    "/crm/leads?filter=nonsense": 422,
    "/api/v1/crm/leads": 200,
    "/api/v1/crm/leads/999999": 404,
    "/api/v1/crm/leads?nonsense=1": 422,
    "/settings/roles/nobody": 404,
}


@contextmanager
def checkouts(crm: Crm) -> Iterator[list[object]]:
    taken: list[object] = []

    def note(connection: object, *_: object) -> None:
        taken.append(connection)

    event.listen(crm.database.engine, "checkout", note)
    try:
        yield taken
    finally:
        event.remove(crm.database.engine, "checkout", note)


@pytest.mark.parametrize("path", ["/crm/leads", "/api/v1/crm/leads", "/"])
def test_a_request_that_reads_takes_one_connection(crm: Crm, root: Any, path: str) -> None:
    root.get(path)
    with checkouts(crm) as taken:
        assert root.get(path).status_code == 200
    assert len(taken) == 1


@pytest.mark.parametrize("path", ENDINGS)
def test_every_answer_gives_its_connection_back(crm: Crm, root: Any, path: str) -> None:
    before = crm.database.engine.pool.checkedout()  # type: ignore[attr-defined]
    assert root.get(path).status_code == ENDINGS[path]
    assert root.client.get(path, headers={"Authorization": "Bearer wrong"}).status_code in (401, 404)
    assert crm.database.engine.pool.checkedout() == before  # type: ignore[attr-defined]
