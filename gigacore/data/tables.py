"""The tables of the data floor, as Core tables on the one metadata; rows are written with prebuilt statements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, ExactDecimal, JsonB, UtcDateTime

ENTITY: Final = String(120)


class ExactRate(TypeDecorator[Decimal]):
    """An exchange rate, exactly: NUMERIC(24, 10), or its digits as text on SQLite, whose numbers are floats."""

    impl = Numeric(24, 10)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type underneath."""
        return dialect.type_descriptor(String(40) if dialect.name == "sqlite" else Numeric(24, 10))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Digits for SQLite."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """A decimal again."""
        return None if value is None else Decimal(value)


core_org = Table(
    "core_org",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("uid", Uuid, nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("country", String(2)),
    Column("locale", String(10), nullable=False, server_default="en"),
    Column("timezone", String(60), nullable=False, server_default="UTC"),
    Column("created_at", UtcDateTime, nullable=False),
)

core_state = Table(
    "core_state",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)

core_setting = Table(
    "core_setting",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("scope", String(12), nullable=False),
    Column("scope_id", BigId, nullable=False, server_default="0"),
    Column("key", String(120), nullable=False),
    Column("value", Text, nullable=False),
    Column("plugin", String(60), nullable=False, server_default=""),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", BigId),
    UniqueConstraint("scope", "scope_id", "key"),
    CheckConstraint("scope IN ('installation', 'org', 'user')", name="scope"),
)

core_audit = Table(
    "core_audit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_kind", String(12), nullable=False),
    Column("actor_id", BigId),
    Column("actor_name", String(200), nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Column("entity", ENTITY, nullable=False),
    Column("record_id", BigId),
    Column("record_uid", Uuid),
    Column("verb", String(60), nullable=False),
    Column("fields", Text, nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Index("ix_core_audit_record", "entity", "record_id", "id"),
)

core_audit_value = Table(
    "core_audit_value",
    metadata,
    Column("audit_id", Uuid, ForeignKey("core_audit.id"), primary_key=True),
    Column("salt", LargeBinary(16)),
    Column("body", LargeBinary),
)

core_audit_seal = Table(
    "core_audit_seal",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=False),
    Column("audit_id", Uuid, ForeignKey("core_audit.id"), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
)

core_outbox = Table(
    "core_outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("name", String(180), nullable=False),
    Column("entity", ENTITY, nullable=False),
    Column("record_id", BigId),
    Column("record_uid", Uuid),
    Column("version", Integer),
    Column("fields", Text, nullable=False),
    Column("audit_id", Uuid, nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Column("depth", Integer, nullable=False, server_default="0"),
    Column("actor_kind", String(12), nullable=False),
    Column("actor_id", BigId),
    Column("actor_name", String(200), nullable=False),
    Index("ix_core_outbox_record", "entity", "record_id"),
)

core_delivery = Table(
    "core_delivery",
    metadata,
    Column("event_id", Uuid, ForeignKey("core_outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("consumer", String(120), primary_key=True),
    Column("state", String(8), nullable=False, server_default="new"),
    Column("record_key", String(160), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("lease", String(36)),
    Column("error", Text),
    Column("done_at", UtcDateTime),
    CheckConstraint("state IN ('new', 'running', 'done', 'dead', 'parked')", name="state"),
    Index(
        "ix_core_delivery_due",
        "next_at",
        "event_id",
        sqlite_where=text("state IN ('new', 'running')"),
        postgresql_where=text("state IN ('new', 'running')"),
    ),
    Index("ix_core_delivery_order", "consumer", "record_key", "event_id"),
)

core_trash = Table(
    "core_trash",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("entity", ENTITY, nullable=False),
    Column("record_id", BigId, nullable=False),
    Column("record_uid", Uuid, nullable=False),
    Column("label", String(300), nullable=False),
    Column("group_uid", Uuid, nullable=False),
    Column("org_id", BigId),
    Column("owner_id", BigId),
    Column("team_id", BigId),
    Column("visibility", String(10)),
    Column("body", LargeBinary, nullable=False),
    Column("deleted_at", UtcDateTime, nullable=False),
    Column("deleted_by", BigId),
    Column("purge_at", UtcDateTime, nullable=False),
    UniqueConstraint("entity", "record_id"),
    Index("ix_core_trash_purge_at", "purge_at"),
    Index("ix_core_trash_group_uid", "group_uid"),
    sqlite_autoincrement=True,
)

core_gone = Table(
    "core_gone",
    metadata,
    Column("uid", Uuid, primary_key=True),
    Column("entity", ENTITY, nullable=False),
    Column("fate", String(8), nullable=False),
    Column("into_uid", Uuid),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("fate IN ('purged', 'erased', 'merged')", name="fate"),
    Index("ix_core_gone_entity", "entity"),
)

core_link = Table(
    "core_link",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("uid", Uuid, nullable=False, unique=True),
    Column("from_entity", ENTITY, nullable=False),
    Column("from_id", BigId, nullable=False),
    Column("to_entity", ENTITY, nullable=False),
    Column("to_id", BigId, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", BigId),
    UniqueConstraint("from_entity", "from_id", "to_entity", "to_id", "kind", name="uq_core_link_ends"),
    Index("ix_core_link_to", "to_entity", "to_id"),
)

core_activity = Table(
    "core_activity",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("uid", Uuid, nullable=False, unique=True),
    Column("org_id", BigId, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("direction", String(8), nullable=False, server_default=""),
    Column("title", String(300), nullable=False),
    Column("summary", Text),
    Column("actor_kind", String(12), nullable=False),
    Column("actor_id", BigId),
    Column("actor_name", String(200), nullable=False),
    Column("source_entity", ENTITY),
    Column("source_id", BigId),
    Column("plugin", String(60), nullable=False, server_default=""),
    Column("data", JsonB()),
    CheckConstraint("direction IN ('', 'in', 'out')", name="direction"),
    Index("ix_core_activity_source", "source_entity", "source_id"),
    Index("ix_core_activity_at", "at"),
    sqlite_autoincrement=True,
)

core_activity_link = Table(
    "core_activity_link",
    metadata,
    Column("activity_id", BigId, ForeignKey("core_activity.id", ondelete="CASCADE"), primary_key=True),
    Column("entity", ENTITY, primary_key=True),
    Column("record_id", BigId, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_core_activity_link_record", "entity", "record_id", "at"),
)

core_counter = Table(
    "core_counter",
    metadata,
    Column("org_id", BigId, primary_key=True, autoincrement=False),
    Column("series", String(60), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("value", BigId, nullable=False),
)

core_idempotency = Table(
    "core_idempotency",
    metadata,
    Column("actor_key", String(80), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("headers", JsonB()),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    CheckConstraint("state IN ('running', 'done')", name="state"),
)

core_currency = Table(
    "core_currency",
    metadata,
    Column("code", String(3), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("symbol", String(8), nullable=False, server_default=""),
    Column("digits", Integer, nullable=False, server_default="2"),
    Column("active", Boolean, nullable=False),
)

core_rate = Table(
    "core_rate",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("base", String(3), ForeignKey("core_currency.code"), nullable=False),
    Column("code", String(3), ForeignKey("core_currency.code"), nullable=False),
    Column("on_date", Date, nullable=False),
    Column("rate", ExactRate, nullable=False),
    Column("source", String(60), nullable=False, server_default=""),
    UniqueConstraint("base", "code", "on_date"),
)

core_rollup = Table(
    "core_rollup",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("entity", ENTITY, nullable=False),
    Column("refreshed_at", UtcDateTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("seen", Uuid),
    sqlite_autoincrement=True,
)

core_rollup_part = Table(
    "core_rollup_part",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("rollup_id", BigId, ForeignKey("core_rollup.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("value", String(120)),
    Column("owner_id", BigId),
    Column("team_id", BigId),
    Column("visibility", String(10)),
    Column("currency", String(3)),
    Column("records", BigId, nullable=False),
    Column("total", ExactDecimal),
)
