"""What a database holds, to be compared: read past SQLAlchemy, which takes ten times as long for all tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

Row = dict[str, Any]


def stored(connection: sa.Connection, tables: Iterable[str]) -> Iterator[tuple[str, list[Row]]]:
    """Each table's rows, as the driver gives them."""
    cursor = connection.connection.cursor()
    for name in tables:
        cursor.execute(f'SELECT * FROM "{name}"')
        columns = [column[0] for column in cursor.description]
        yield name, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
