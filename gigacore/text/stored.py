"""Templates that people edit: of mails and other texts, per language, filled with a record's values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import access, records
from gigacore.data import audit
from gigacore.errors import Conflict, FieldError, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.text.tables import core_template
from gigacore.text.values import plain
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.template"
KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,79}")
T: Final = core_template.c


@dataclass(frozen=True, slots=True)
class TemplateKind:
    """A use of templates, declared by the core, or by a plugin with `Plugin(declares=[TemplateKind(...)])`.

    `html` says that values must be escaped; `entity` the kind of record that fills it (empty = any).
    """

    name: str
    label: str
    html: bool = False
    entity: str = ""

    @property
    def plugin(self) -> str:
        """The plugin that declares it."""
        return self.name.partition(".")[0]


MAIL: Final = TemplateKind("core.mail", msg("Mail").text)
KINDS: Final = (MAIL,)


@dataclass(frozen=True, slots=True)
class Template:
    """One template in one language."""

    id: int
    kind: str
    key: str
    name: str
    entity: str
    language: str
    subject: str
    body: str
    version: int
    updated_at: datetime


_COLUMNS: Final = tuple(T[name] for name in Template.__slots__)


def listing(ctx: Context, kind: str = "") -> list[Template]:
    """The templates, by name and language. Every signed-in person may choose one. One statement."""
    statement = sa.select(*_COLUMNS).where(T.org_id == ctx.actor.org_id).order_by(T.name, T.key, T.language)
    if kind:
        statement = statement.where(T.kind == kind)
    return [Template(*row) for row in ctx.session.connection().execute(statement)]


def load(ctx: Context, template_id: int) -> Template:
    """One template. Raises NotFound."""
    row = ctx.session.connection().execute(
        sa.select(*_COLUMNS).where(T.id == template_id, T.org_id == ctx.actor.org_id)
    ).first()  # fmt: skip
    if row is None:
        raise NotFound
    return Template(*row)


def find(ctx: Context, kind: str, key: str, language: str) -> Template:
    """The template in that language, else in English, else in any. Raises NotFound."""
    found = [one for one in listing(ctx, kind) if one.key == key]
    for wanted in (language, language[:2], "en"):
        for one in found:
            if one.language == wanted:
                return one
    if not found:
        raise NotFound(msg("There is no template {key}.", key=key))
    return found[0]


def save(
    ctx: Context,
    *,
    kind: str,
    key: str,
    name: str,
    language: str,
    body: str,
    subject: str = "",
    entity: str = "",
    version: int | None = None,
    plugin: str = "",
    kinds: Sequence[TemplateKind] = KINDS,
) -> Template:
    """Create a template in one language, or change the one that is there. `version` is the one that was read.

    `kinds` are those that the running plugins declare: `Crm.template_kinds`. Raises Invalid with the line at fault or
    for another kind, Conflict when it was changed in between, Forbidden.
    """
    access.require(ctx, "edit", TOOL)
    entity = kind_named(kind, kinds).entity or entity
    _check(ctx, key, name, entity, subject, body)
    connection = ctx.session.connection()
    same = (T.org_id == ctx.actor.org_id, T.kind == kind, T.key == key, T.language == language)
    known = connection.execute(sa.select(T.id, T.version).where(*same)).first()
    values: dict[str, Any] = {"name": name.strip(), "entity": entity, "subject": subject, "body": body}
    values |= {"updated_at": ctx.now, "updated_by": ctx.actor.user_id}
    if known is None:
        row = {"uid": uuid7(), "plugin": plugin, "org_id": ctx.actor.org_id, "kind": kind, "key": key, "version": 1}
        row |= {"language": language, **values}
        number = connection.execute(sa.insert(core_template).values(**row).returning(T.id)).scalar_one()
    else:
        number = known.id
        if version is not None and version != known.version:
            raise Conflict(msg("This template was changed by somebody else in the meantime."))
        connection.execute(
            sa.update(core_template).where(T.id == number).values(**values, version=known.version + 1)
        )  # fmt: skip
    audit.record(ctx, TOOL, "saved", record_id=number, values={"key": key, "language": language})
    return load(ctx, number)


def kind_named(name: str, kinds: Sequence[TemplateKind]) -> TemplateKind:
    """The kind of that name. Raises Invalid where none is declared."""
    found = next((one for one in kinds if one.name == name), None)
    if found is None:
        raise Invalid.of("kind", msg("There is no kind of template {name}.", name=name), "unknown")
    return found


def delete(ctx: Context, template_id: int) -> None:
    """Delete one language of a template. Raises NotFound, Forbidden."""
    access.require(ctx, "edit", TOOL)
    template = load(ctx, template_id)
    ctx.session.connection().execute(sa.delete(core_template).where(T.id == template_id))
    audit.record(ctx, TOOL, "deleted", record_id=template_id, values={"key": template.key})


def _check(ctx: Context, key: str, name: str, entity: str, subject: str, body: str) -> None:
    errors = []
    if not KEY.fullmatch(key):
        errors.append(FieldError("key", msg("Use lower-case letters, digits and underscores."), "invalid"))
    if not name.strip():
        errors.append(FieldError("name", msg("This is required."), "required"))
    if entity and entity not in ctx.session.registry.entities:
        errors.append(FieldError("entity", msg("There is no entity {name}.", name=entity), "unknown_entity"))
    for field, text in (("subject", subject), ("body", body)):
        errors += _fault(field, text)
    if errors:
        raise Invalid(errors=errors)


def _fault(field: str, text: str) -> Sequence[FieldError]:
    from gigacore.text import sandbox
    from gigacore.text.templates import explain

    try:
        sandbox.parse(text, sandbox.SandboxEnvironment(False, {}))
    except sandbox.Refusal as refusal:
        return [FieldError(field, explain(refusal), f"template_{refusal.reason}")]
    return []


def rendered(
    ctx: Context, template: Template, entity: str, record_id: int | None, *, html: bool = False
) -> tuple[str, str]:
    """Subject and body filled with a record's values, as the actor may read them. Raises Invalid, NotFound.

    Templates see `record`, `actor` and `today`. With `html`, as the kind says, values in the body are escaped.
    """
    from gigacore.text import render

    values: dict[str, Any] = {"actor": {"id": ctx.actor.user_id, "name": ctx.actor.name}, "record": {}}
    values["today"] = ctx.now.astimezone(ctx.actor.zone).date()
    if record_id is not None:
        values["record"] = plain(records.get(ctx, entity, record_id))
    language, zone = template.language, ctx.actor.timezone
    subject = render(template.subject, values, locale=language, timezone=zone)
    return subject, render(template.body, values, html=html, locale=language, timezone=zone)
