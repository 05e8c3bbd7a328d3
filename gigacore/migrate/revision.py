"""Writes revision files: compares the declared tables with what the present migrations make of an empty database."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic.operations import ops

from gigacore.migrate.comparison import compare, flatten, render
from gigacore.migrate.history import History
from gigacore.migrate.operations import upgrade

_TEMPLATE: Final = '''\
"""{message}"""

{imports}

revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''
_ALWAYS_IMPORTED: Final = "from alembic import op"


def write_revision(history: History, metadata: sa.MetaData, engine: sa.Engine, message: str) -> Path | None:
    """Writes the next revision of `history` and returns its path, or None when nothing changed.

    `engine` is an empty scratch database (SQLite in memory is enough). The file imports no mapped class, so that it
    means the same when the models have moved on; read it before you commit it.
    """
    script = _differences(history, metadata, engine)
    if script.upgrade_ops is None or script.downgrade_ops is None or script.upgrade_ops.is_empty():
        return None
    number = len(history.revisions()) + 1
    path = history.versions / f"{number:04}_{_slug(message)}.py"
    history.versions.mkdir(parents=True, exist_ok=True)
    path.write_text(_source(history, f"{history.owner}_{number:04}", message, script), "utf-8")
    return path


def _differences(history: History, metadata: sa.MetaData, engine: sa.Engine) -> ops.MigrationScript:
    with engine.connect() as connection, connection.begin() as transaction:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        upgrade(connection, history)
        present = set(sa.inspect(connection).get_table_names()) - {history.version_table}
        script = compare(connection, history, metadata, present)
        transaction.rollback()
    return script


def _source(history: History, revision: str, message: str, script: ops.MigrationScript) -> str:
    assert script.upgrade_ops is not None
    assert script.downgrade_ops is not None
    forward, back = _body(script.upgrade_ops), _body(script.downgrade_ops)
    return _TEMPLATE.format(
        message=message.replace('"""', "'''"),
        imports=_imports(forward + back),
        revision=revision,
        down=_quoted(history.head()),
        upgrade=forward,
        downgrade=back,
    )


def _body(container: ops.OpContainer) -> str:
    lines = "\n".join(render(op) for op in flatten(container)) or "pass"
    return textwrap.indent(lines, "    ")


def _imports(body: str) -> str:
    wanted = ["import sqlalchemy as sa"] if "sa." in body else []
    wanted.append(_ALWAYS_IMPORTED)
    if "postgresql." in body:
        wanted.append("from sqlalchemy.dialects import postgresql")
    return "\n".join(wanted + (["", "from gigacore.entity import columns"] if "columns." in body else []))


def _quoted(revision: str | None) -> str:
    return "None" if revision is None else f'"{revision}"'


def _slug(message: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40] or "change"
