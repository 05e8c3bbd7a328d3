"""The tables of people, teams, roles, rights and credentials: columns and constraints only, no behaviour."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, UtcDateTime

EMAIL: Final = 254
NAME: Final = 200
KEY: Final = 80
ENTITY: Final = 120
HASH: Final = 64


def _id() -> sa.Column[int]:
    return sa.Column("id", BigId, primary_key=True, autoincrement=True)


def _user(name: str, *, nullable: bool = False, ondelete: str = "CASCADE", index: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.ForeignKey("core_user.id", ondelete=ondelete), nullable=nullable, index=index)


core_access = sa.Table(
    "core_access",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.CheckConstraint("id = 1", name="single_row"),
    comment="One row; its generation grows with each change of users, teams, roles, grants.",
)

core_user = sa.Table(
    "core_user",
    metadata,
    _id(),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("email", sa.String(EMAIL), nullable=False),
    sa.Column("email_key", sa.String(EMAIL), nullable=False, unique=True),
    sa.Column("name", sa.String(NAME), nullable=False),
    sa.Column("name_key", sa.String(NAME), nullable=False, index=True),
    sa.Column("password_hash", sa.String(255)),
    sa.Column("password_changed_at", UtcDateTime),
    sa.Column("active", sa.Boolean, nullable=False, default=True),
    sa.Column("locale", sa.String(10), nullable=False, default="en"),
    sa.Column("timezone", sa.String(64), nullable=False, default="UTC"),
    sa.Column("theme", sa.String(10), nullable=False, default="system"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("last_sign_in_at", UtcDateTime),
    sqlite_autoincrement=True,
)

core_team = sa.Table(
    "core_team",
    metadata,
    _id(),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("name", sa.String(NAME), nullable=False),
    sa.Column("parent_id", sa.ForeignKey("core_team.id", ondelete="RESTRICT"), index=True),
    _user("manager_id", nullable=True, ondelete="SET NULL", index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

core_team_member = sa.Table(
    "core_team_member",
    metadata,
    sa.Column("team_id", sa.ForeignKey("core_team.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("core_user.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("main", sa.Boolean, nullable=False, default=False),
)

core_role = sa.Table(
    "core_role",
    metadata,
    _id(),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("key", sa.String(KEY), nullable=False, unique=True),
    sa.Column("labels", JsonB(), nullable=False),
    sa.Column("builtin", sa.Boolean, nullable=False, default=False),
    sa.Column("plugin", sa.String(KEY)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

core_user_role = sa.Table(
    "core_user_role",
    metadata,
    sa.Column("user_id", sa.ForeignKey("core_user.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("role_id", sa.ForeignKey("core_role.id", ondelete="CASCADE"), primary_key=True, index=True),
)

core_grant = sa.Table(
    "core_grant",
    metadata,
    _id(),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("role_id", sa.ForeignKey("core_role.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("entity", sa.String(ENTITY), nullable=False),
    sa.Column("verb", sa.String(KEY), nullable=False),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("filter", JsonB()),
    sa.Column("forbid", sa.Boolean, nullable=False, default=False),
    sa.Column("plugin", sa.String(KEY)),
    sa.CheckConstraint("level IN ('none', 'own', 'team', 'tree', 'all')", name="level_known"),
)

core_field_rule = sa.Table(
    "core_field_rule",
    metadata,
    _id(),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("role_id", sa.ForeignKey("core_role.id", ondelete="CASCADE"), nullable=False),
    sa.Column("entity", sa.String(ENTITY), nullable=False),
    sa.Column("field", sa.String(ENTITY), nullable=False),
    sa.Column("can_read", sa.Boolean, nullable=False),
    sa.Column("can_write", sa.Boolean, nullable=False),
    sa.Column("plugin", sa.String(KEY)),
    sa.UniqueConstraint("role_id", "entity", "field"),
    sa.CheckConstraint("can_read OR NOT can_write", name="write_needs_read"),
)

core_share = sa.Table(
    "core_share",
    metadata,
    _id(),
    sa.Column("entity", sa.String(ENTITY), nullable=False),
    sa.Column("record_id", BigId, nullable=False),
    _user("user_id", nullable=True),
    sa.Column("team_id", sa.ForeignKey("core_team.id", ondelete="CASCADE")),
    sa.Column("verb", sa.String(KEY), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    _user("created_by", nullable=True, ondelete="SET NULL"),
    sa.CheckConstraint("(user_id IS NULL) <> (team_id IS NULL)", name="one_party"),
    sa.UniqueConstraint("entity", "record_id", "user_id", "verb"),
    sa.UniqueConstraint("entity", "record_id", "team_id", "verb"),
    sa.Index("ix_core_share_user", "user_id", "entity", "verb", "record_id"),
    sa.Index("ix_core_share_team", "team_id", "entity", "verb", "record_id"),
)

core_token = sa.Table(
    "core_token",
    metadata,
    _id(),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("name", sa.String(NAME), nullable=False),
    sa.Column("prefix", sa.String(12), nullable=False),
    sa.Column("hash", sa.String(HASH), nullable=False, unique=True),
    _user("user_id", index=True),
    sa.Column("scopes", JsonB()),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("last_used_at", UtcDateTime),
    sqlite_autoincrement=True,
)

core_session = sa.Table(
    "core_session",
    metadata,
    sa.Column("id", sa.String(HASH), primary_key=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    _user("user_id", index=True),
    sa.Column("half", sa.Boolean, nullable=False, default=False),
    sa.Column("csrf_secret", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("verified_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("ip", sa.String(45)),
    sa.Column("user_agent", sa.String(300)),
    comment="Web sessions; `id` is the SHA-256 of the cookie. A half session waits for its second factor.",
)

core_sign_in = sa.Table(
    "core_sign_in",
    metadata,
    _id(),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    _user("user_id", nullable=True, ondelete="SET NULL", index=True),
    sa.Column("email", sa.String(EMAIL), nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("ip", sa.String(45)),
    sa.Column("user_agent", sa.String(300)),
)

core_rate_limit = sa.Table(
    "core_rate_limit",
    metadata,
    sa.Column("key", sa.String(HASH), primary_key=True),
    sa.Column("bucket", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
)

core_link_token = sa.Table(
    "core_link_token",
    metadata,
    _id(),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("hash", sa.String(HASH), nullable=False, unique=True),
    sa.Column("purpose", sa.String(KEY), nullable=False),
    sa.Column("entity", sa.String(ENTITY), nullable=False),
    sa.Column("record_id", BigId, nullable=False),
    sa.Column("person", sa.String(NAME)),
    sa.Column("verbs", JsonB(), nullable=False),
    sa.Column("max_uses", sa.Integer),
    sa.Column("uses", sa.Integer, nullable=False, default=0),
    sa.Column("created_at", UtcDateTime, nullable=False),
    _user("created_by", nullable=True, ondelete="SET NULL"),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Index("ix_core_link_token_record", "entity", "record_id"),
)
