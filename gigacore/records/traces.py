"""What the core holds of a record besides its own rows, for erasing it: mails, messages, words about contact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa

from gigacore.data import audit
from gigacore.entity.base import metadata

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, Registry

EMAIL: Final = "email"
EMAILS: Final = "emails"


def remove(connection: sa.Connection, registry: Registry, entity: str, record_id: int, kept: bytes) -> None:
    """Removes it all; `kept` is the record as it lay in the trash.

    A mail that waits is not sent any more. What people said about an address goes with its last record.
    """
    _remove_mails(connection, entity, record_id)
    _empty_messages(connection, entity, record_id)
    audit.erase_messages(connection, entity, record_id)
    addresses = [one for one in _addresses(orjson.loads(kept)) if not _is_used(connection, registry, one)]
    consent = metadata.tables["core_consent"]
    connection.execute(sa.delete(consent).where(consent.c.channel == "mail", consent.c.address.in_(addresses)))


def _remove_mails(connection: sa.Connection, entity: str, record_id: int) -> None:
    table = metadata.tables["core_mail"]
    ends = sa.cast(table.c.ends, sa.Text)
    forms = (f'%["{entity}",{record_id}]%', f'%["{entity}", {record_id}]%')  # as each engine writes JSON
    connection.execute(sa.delete(table).where(sa.or_(*[ends.like(form) for form in forms])))


def _empty_messages(connection: sa.Connection, entity: str, record_id: int) -> None:
    """The inbox keeps the ids of messages, so that none counts twice."""
    table = metadata.tables["core_inbox"]
    result = table.c.result
    mine = sa.and_(result["entity"].as_string() == entity, result["id"].as_integer() == record_id)
    connection.execute(sa.update(table).where(mine).values(body=b""))


def _addresses(kept: Mapping[str, Any]) -> Iterator[str]:
    rows: Iterable[Mapping[str, Any]] = [kept["row"], *kept["rows"].get(EMAILS, ())]
    for row in rows:
        if address := row.get(EMAIL):
            yield str(address).strip().lower()


def _is_used(connection: sa.Connection, registry: Registry, address: str) -> bool:
    """Whether another record has the address."""
    return any(
        connection.scalar(sa.select(sa.true()).where(sa.func.lower(column) == address).limit(1))
        for spec in registry.entities.values()
        for column in _columns(spec)
    )


def _columns(spec: EntitySpec) -> Iterator[sa.Column[Any]]:
    if EMAIL in spec.fields and EMAIL in spec.table.c:
        yield spec.table.c[EMAIL]
    if EMAILS in spec.children:
        yield spec.children[EMAILS].table.c[EMAIL]
