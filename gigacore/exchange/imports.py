"""The life of an import: staged file, mapping, preview, run in batches that resume, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from gigacore import access, customfields
from gigacore.context import Actor, Context
from gigacore.data.tables import core_org
from gigacore.entity import EntitySpec
from gigacore.errors import Conflict, Invalid, NotFound
from gigacore.exchange import mapping as mappings
from gigacore.exchange import reading
from gigacore.exchange.batches import Importer, Outcome
from gigacore.exchange.cells import Reading
from gigacore.exchange.keys import keys_for
from gigacore.exchange.reading import Opener, Row, Table
from gigacore.exchange.rows import Prepared, RowError, RowReader
from gigacore.exchange.tables import core_import, core_import_error
from gigacore.files import register
from gigacore.files.storage import Storage, open_object
from gigacore.files.tables import core_file
from gigacore.ids import uuid7
from gigacore.jobs import enqueue
from gigacore.jobs.run import Host
from gigacore.messages import Msg, msg

if TYPE_CHECKING:
    from gigacore.text import Catalogue

BATCH: Final = 500
KEPT_ERRORS: Final = 10_000
FILE_LIMIT: Final = 200 * 1024 * 1024
DRAFT, QUEUED, RUNNING, DONE, FAILED, CANCELLED = "draft", "queued", "running", "done", "failed", "cancelled"
I: Final = core_import.c  # noqa: E741 - the table's columns, as elsewhere
E: Final = core_import_error.c


class Installation(Host, Protocol):
    """What imports need of the composition root."""

    @property
    def storage(self) -> Storage:
        """Where files are kept."""

    @property
    def catalogue(self) -> Catalogue:
        """Translations: labels of a file may be in any language."""

    def refresh(self) -> bool:
        """Reads custom fields anew after one was added."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the person importing decides.

    `key` is the heading of the column that identifies a row ("" = the whole row), `duplicates` "skip" or "update",
    `rules` whether automations run, `create_references` whether unknown companies and the like are added, `words` the
    values for words of the file, `currency` that of amounts without one ("" = the organisation's).
    """

    key: str = ""
    duplicates: str = "skip"
    rules: bool = False
    create_references: bool = True
    locale: str = "en"
    currency: str = ""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Import:
    """One import as it stands."""

    id: int
    uid: UUID
    entity: str
    file_id: int | None
    file_name: str
    state: str
    dialect: Mapping[str, Any]
    mapping: Mapping[str, str]
    options: Mapping[str, Any]
    total: int | None
    cursor: int
    created: int
    updated: int
    skipped: int
    failed: int
    job_id: int | None
    error: str | None
    created_at: datetime
    created_by: int | None
    finished_at: datetime | None

    @property
    def ignored(self) -> list[str]:
        """Columns of the file that go nowhere."""
        return [heading for heading, target in self.mapping.items() if not target]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row as it would be imported; `duplicate` = its record is there already."""

    number: int
    cells: Sequence[str]
    errors: Sequence[RowError]
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file under the present mapping."""

    headings: Sequence[str]
    rows: Sequence[PreviewRow]


COLUMNS: Final = tuple(I[name] for name in Import.__slots__)


def stage(crm: Installation, actor: Actor, entity: str, stream: BinaryIO, file_name: str) -> Import:
    """Stores a file, reads its headings and suggests a mapping. Nothing is imported yet.

    Raises Forbidden without the rights to import and create, Invalid for what is no CSV, TooLarge.
    """
    with crm.database.read(actor) as ctx:
        spec = permitted(ctx, entity)
    stored = crm.storage.write_stream(stream, limit=FILE_LIMIT)
    try:
        table = Table(opener(crm.storage, stored.object_id))
        suggestion = mappings.suggest(table.headings, spec, translators(crm))
        options = Options(key=suggestion.key or "", locale=actor.locale)
        with crm.database.unit_of_work(actor) as ctx:
            file = register(ctx, stored, file_name)
            row = new_row(ctx, entity, file.id, file.name, table, suggestion.columns, options)
            return Import(*ctx.session.connection().execute(row.returning(*COLUMNS)).one())
    except BaseException:
        crm.storage.delete(stored.object_id)
        raise


def new_row(
    ctx: Context, entity: str, file_id: int, name: str, table: Table, columns: Mapping[str, str], options: Options
) -> sa.Insert:
    """The statement that adds an import."""
    counters = dict.fromkeys(("cursor", "created", "updated", "skipped", "failed"), 0)
    return sa.insert(core_import).values(
        uid=uuid7(),
        org_id=ctx.actor.org_id,
        entity=entity,
        file_id=file_id,
        file_name=name,
        state=DRAFT,
        dialect=table.dialect.to_json(),
        mapping=dict(columns),
        options=asdict(options),
        created_at=ctx.now,
        created_by=ctx.actor.user_id,
        **counters,
    )


def permitted(ctx: Context, entity: str) -> EntitySpec:
    """The entity, if the actor may import into it. Raises NotFound, Forbidden."""
    spec = ctx.session.registry.entity(entity)
    access.require(ctx, "import", entity)
    access.require(ctx, "create", entity)
    return spec


def translators(crm: Installation) -> list[Callable[[str], str]]:
    """One translator per language besides English."""
    return [crm.catalogue.translator(locale) for locale in crm.catalogue.locales[1:]]


def opener(storage: Storage, object_id: str) -> Opener:
    """Opens the staged file, as often as wanted."""
    return lambda: open_object(storage, object_id)


def get(ctx: Context, import_id: int) -> Import:
    """An import of the actor's own; whoever may see all jobs sees every import. Raises NotFound."""
    row = ctx.session.connection().execute(sa.select(*COLUMNS).where(I.id == import_id)).one_or_none()
    if row is None:
        raise NotFound
    found = Import(*row)
    mine = found.created_by is not None and found.created_by == ctx.actor.user_id
    if not mine and not ctx.actor.is_system and not access.may(ctx, "view", "core.job"):
        raise NotFound
    return found


def recent(ctx: Context, limit: int = 20) -> list[Import]:
    """The actor's latest imports, newest first."""
    mine = sa.select(*COLUMNS).where(I.created_by == ctx.actor.user_id).order_by(I.id.desc()).limit(limit)
    return [Import(*row) for row in ctx.session.connection().execute(mine)]


def table_of(ctx: Context, storage: Storage, found: Import) -> Table:
    """The staged file. Raises NotFound when it was removed."""
    object_id = ctx.session.connection().scalar(sa.select(core_file.c.object_id).where(core_file.c.id == found.file_id))
    if object_id is None:
        raise NotFound(msg("The file of this import is no longer there."))
    return Table(opener(storage, object_id), reading.from_json(found.dialect))


def configure(
    crm: Installation,
    actor: Actor,
    import_id: int,
    *,
    mapping: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    dialect: Mapping[str, Any] | None = None,
) -> Import:
    """Changes mapping, options or dialect of an import that has not begun; what is not given stays.

    Raises Invalid with every fault, Conflict when it has begun, NotFound.
    """
    with crm.database.unit_of_work(actor) as ctx:
        found = get(ctx, import_id)
        require_state(found, DRAFT)
        spec = permitted(ctx, found.entity)
        values: dict[str, Any] = {}
        if dialect is not None:
            values["dialect"] = {**found.dialect, **dialect}
            found = Import(**asdict_of(found) | values)
        headings = table_of(ctx, crm.storage, found).headings
        if mapping is not None:
            mappings.parse(mapping, headings, spec)
            values["mapping"] = {heading: mapping.get(heading, "") for heading in headings}
        if options is not None:
            values["options"] = asdict(checked(Options(**{**found.options, **options}), headings))
        changed = sa.update(core_import).where(I.id == import_id).values(**values) if values else None
        if changed is not None:
            ctx.session.connection().execute(changed)
        return get(ctx, import_id)


def asdict_of(found: Import) -> dict[str, Any]:
    """The columns of an import."""
    return {name: getattr(found, name) for name in Import.__slots__}


def checked(options: Options, headings: Sequence[str]) -> Options:
    """Refuses options that make no sense. Raises Invalid."""
    if options.duplicates not in ("skip", "update"):
        raise Invalid.of("duplicates", msg("Duplicates can be skipped or updated."))
    if options.key and options.key not in headings:
        raise Invalid.of("key", msg("The file has no column {name}.", name=options.key))
    return options


def require_state(found: Import, *states: str) -> None:
    """Raises Conflict unless the import is in one of these states."""
    if found.state not in states:
        raise Conflict(msg("This import has already begun."))


def importer_for(ctx: Context, crm: Installation, found: Import, table: Table) -> Importer:
    """The machinery of one import. Raises Invalid when its mapping fits the file or the entity no more."""
    spec = ctx.session.registry.entity(found.entity)
    targets = mappings.parse(found.mapping, table.headings, spec)
    options = Options(**found.options)
    key = options.key or None
    currency = options.currency or ctx.session.connection().scalar(
        sa.select(core_org.c.currency).where(core_org.c.id == ctx.actor.org_id)
    )
    understood = Reading(options.locale, currency or "EUR", options.words, tuple(translators(crm)))
    reader = RowReader(table.headings, targets, key, ctx.session.registry, understood)
    keys = keys_for(spec, key, targets.get(key or ""))
    update = options.duplicates == "update"
    return Importer(spec, reader, keys, "update" if update else "skip", options.create_references)


def preview(crm: Installation, actor: Actor, import_id: int, limit: int = 20) -> Preview:
    """The first rows as they would be imported; nothing is written. Raises NotFound, Invalid."""
    with crm.database.read(actor) as ctx:
        found = get(ctx, import_id)
        table = table_of(ctx, crm.storage, found)
        importer = importer_for(ctx, crm, found, table)
        with closing(table.rows()) as stream:
            rows = list(islice(stream, limit))
        prepared = [importer.reader.read(row) for row in rows]
        known = importer.keys.find(ctx, (importer.keys.normal(one.key) for one in prepared))
        return Preview(
            table.headings, [preview_row(row, one, importer, known) for row, one in zip(rows, prepared, strict=True)]
        )


def preview_row(row: Row, prepared: Prepared, importer: Importer, known: Mapping[str, int]) -> PreviewRow:
    """One row of a preview."""
    return PreviewRow(row.number, row.cells, prepared.errors, importer.keys.normal(prepared.key) in known)


def begin(crm: Installation, actor: Actor, import_id: int) -> Import:
    """Starts a draft: columns that become custom fields are defined, then the job is enqueued.

    Raises Conflict when it has begun, Invalid for a faulty mapping, Forbidden.
    """
    define_fields(crm, actor, import_id)
    with crm.database.unit_of_work(actor) as ctx:
        found = get(ctx, import_id)
        require_state(found, DRAFT)
        permitted(ctx, found.entity)
        importer_for(ctx, crm, found, table_of(ctx, crm.storage, found))
        job_id = enqueue(ctx, "core.import", {"import_id": import_id}, serial_key=f"import:{found.entity}")
        ctx.session.connection().execute(
            sa.update(core_import).where(I.id == import_id).values(state=QUEUED, job_id=job_id)
        )
        return get(ctx, import_id)


def define_fields(crm: Installation, actor: Actor, import_id: int) -> None:
    """Turns `new:<kind>` targets into custom fields. Raises Forbidden without the right to define some."""
    with crm.database.unit_of_work(actor) as ctx:
        found = get(ctx, import_id)
        wanted = {heading: target for heading, target in found.mapping.items() if target.startswith(mappings.NEW)}
        if not wanted:
            return
        require_state(found, DRAFT)
        made = {heading: define(ctx, found.entity, heading, target) for heading, target in wanted.items()}
        ctx.session.connection().execute(
            sa.update(core_import).where(I.id == import_id).values(mapping={**found.mapping, **made})
        )
    crm.refresh()


def define(ctx: Context, entity: str, heading: str, target: str) -> str:
    """Defines one custom field and returns its name."""
    kind = target.removeprefix(mappings.NEW)
    if kind not in mappings.NEW_KINDS:
        raise Invalid.of(heading, msg("A column cannot become a field of kind {kind}.", kind=kind))
    return customfields.define(ctx, {"entity": entity, "kind": kind, "label": heading}).key


Checkpoint = Callable[[Context, int, int], None]


def run(crm: Installation, actor: Actor, import_id: int, checkpoint: Checkpoint | None = None) -> Import:
    """Imports what is not imported yet, batch by batch, each in one transaction with the cursor.

    Killed at any moment it goes on where the last committed batch ended. `checkpoint(ctx, done, total)` runs inside
    each batch and may raise to stop. Raises what makes the whole import impossible; single rows never do.
    """
    with crm.database.unit_of_work(actor) as ctx:
        found = get(ctx, import_id)
        if found.state not in (QUEUED, RUNNING, DRAFT):
            return found
        table = table_of(ctx, crm.storage, found)
        importer = importer_for(ctx, crm, found, table)
    total = found.total if found.total is not None else table.count()
    with closing(table.rows(after=found.cursor)) as rows:
        while batch := list(islice(rows, BATCH)):
            write_batch(crm, actor, found, importer, batch, total, checkpoint)
    return finish(crm, actor, import_id, DONE)


def write_batch(
    crm: Installation,
    actor: Actor,
    found: Import,
    importer: Importer,
    batch: Sequence[Row],
    total: int,
    checkpoint: Checkpoint | None,
) -> None:
    """One batch in one transaction: records, keys, counters, errors and cursor."""
    prepared = [importer.reader.read(row) for row in batch]
    rules = bool(found.options.get("rules"))
    with crm.database.unit_of_work(actor, source="import", rules_enabled=rules) as ctx:
        outcome = importer.run(ctx, prepared)
        record(ctx, found.id, outcome, batch[-1].number, total)
        if checkpoint is not None:
            checkpoint(ctx, batch[-1].number, total)


def record(ctx: Context, import_id: int, outcome: Outcome, cursor: int, total: int) -> None:
    """Moves the cursor and the counters on and keeps the errors, up to a limit."""
    connection = ctx.session.connection()
    values: dict[str, Any] = {
        "state": RUNNING,
        "cursor": cursor,
        "total": total,
        "created": I.created + outcome.created,
        "updated": I.updated + outcome.updated,
        "skipped": I.skipped + outcome.skipped,
        "failed": I.failed + len(outcome.failed),
    }
    statement = sa.update(core_import).where(I.id == import_id).values(**values).returning(I.failed)
    if connection.execute(statement).scalar_one() <= KEPT_ERRORS and outcome.errors:
        connection.execute(sa.insert(core_import_error), list(error_rows(import_id, outcome)))


def error_rows(import_id: int, outcome: Outcome) -> Iterator[dict[str, Any]]:
    """The rows of the error table; several errors of one row are numbered."""
    positions: dict[int, int] = {}
    for number, error in outcome.errors:
        positions[number] = positions.get(number, -1) + 1
        yield {
            "import_id": import_id,
            "row_no": number,
            "position": positions[number],
            "column": error.column[:200],
            "message": {"text": error.message.text, "params": plain(error.message.params)},
            "value": error.value[:200],
        }


def plain(params: Mapping[str, object]) -> dict[str, object]:
    """Parameters as JSON keeps them; messages inside messages keep their own text and parameters."""
    return {
        name: {"text": value.text, "params": plain(value.params)} if isinstance(value, Msg) else str(value)
        for name, value in params.items()
    }


def message(stored: Mapping[str, Any]) -> Msg:
    """The message of a stored error, translatable again."""
    params = {name: message(value) if isinstance(value, dict) else value for name, value in stored["params"].items()}
    return Msg(str(stored["text"]), params)


def finish(crm: Installation, actor: Actor, import_id: int, state: str, error: str | None = None) -> Import:
    """Ends an import."""
    with crm.database.unit_of_work(actor) as ctx:
        values = {"state": state, "finished_at": ctx.now, "error": error}
        ctx.session.connection().execute(sa.update(core_import).where(I.id == import_id).values(**values))
        return get(ctx, import_id)


def errors(ctx: Context, import_id: int, limit: int = KEPT_ERRORS) -> list[tuple[int, RowError]]:
    """What went wrong, by row. Raises NotFound."""
    get(ctx, import_id)
    rows = ctx.session.connection().execute(
        sa.select(E.row_no, E.column, E.message, E.value)
        .where(E.import_id == import_id)
        .order_by(E.row_no, E.position)
        .limit(limit)
    )
    return [(row_no, RowError(column, message(text), value)) for row_no, column, text, value in rows]
