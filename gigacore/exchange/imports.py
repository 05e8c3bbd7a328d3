"""The life of an import: staged file, mapping, preview, run in batches that resume, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast

import sqlalchemy as sa

from gigacore import access, customfields
from gigacore.context import Actor, Context
from gigacore.data.tables import core_org
from gigacore.entity import EntitySpec
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.exchange import mapping as mappings
from gigacore.exchange import reading, sheets
from gigacore.exchange.batches import Importer
from gigacore.exchange.cells import Reading
from gigacore.exchange.keys import keys_for
from gigacore.exchange.reading import Opener, Row, Table
from gigacore.exchange.rows import Prepared, RowError, RowReader
from gigacore.exchange.store import (
    CANCELLED,
    COLUMNS,
    DONE,
    DRAFT,
    FAILED,
    QUEUED,
    RUNNING,
    Import,
    change,
    errors,
    finish,
    get,
    note,
    recent,
    require_state,
)
from gigacore.exchange.tables import core_import
from gigacore.files import register
from gigacore.files.storage import Storage, open_object
from gigacore.files.tables import core_file
from gigacore.ids import uuid7
from gigacore.jobs import enqueue
from gigacore.jobs.run import Host
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.text import Catalogue

BATCH: Final = 750
FILE_LIMIT: Final = 200 * 1024 * 1024


__all__ = [
    "CANCELLED", "DONE", "DRAFT", "FAILED", "QUEUED", "RUNNING", "Import", "Installation", "Options", "Preview",
    "PreviewRow", "begin", "configure", "end", "errors", "get", "preview", "recent", "run", "stage",
]  # fmt: skip


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
class PreviewRow:
    """One row as it would be imported; `duplicate` = its record is there already, `notes` tell what it will lack."""

    number: int
    cells: Sequence[str]
    errors: Sequence[RowError]
    duplicate: bool
    notes: Sequence[RowError] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file under the present mapping."""

    headings: Sequence[str]
    rows: Sequence[PreviewRow]


def stage(crm: Installation, actor: Actor, entity: str, stream: BinaryIO, file_name: str) -> Import:
    """Stores a file, reads its headings and suggests a mapping. Nothing is imported yet.

    `stream` can be read from its start again. Raises Forbidden without the rights to import and create, Invalid for
    what is neither CSV nor an Excel workbook, TooLarge.
    """
    with crm.database.read(actor) as ctx:
        spec = permitted(ctx, entity)
    if sheets.is_workbook(stream):
        with sheets.as_csv(stream, actor.zone, translators(crm)) as table:
            return _stage(crm, actor, spec, cast(BinaryIO, table), file_name)
    return _stage(crm, actor, spec, stream, file_name)


def _stage(crm: Installation, actor: Actor, spec: EntitySpec, stream: BinaryIO, file_name: str) -> Import:
    stored = crm.storage.write_stream(stream, limit=FILE_LIMIT)
    try:
        table = Table(opener(crm.storage, stored.object_id))
        suggestion = mappings.suggest(table.headings, spec, translators(crm))
        options = Options(key=suggestion.key or "", locale=actor.locale)
        with crm.database.unit_of_work(actor) as ctx:
            file = register(ctx, stored, file_name)
            row = new_row(ctx, spec.name, file.id, file.name, table, suggestion.columns, options)
            return Import(*ctx.session.connection().execute(row.returning(*COLUMNS)).one())
    except GigaError:  # after anything else the sweeper removes it
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
            found = replace(found, dialect=values["dialect"])
        headings = table_of(ctx, crm.storage, found).headings
        if mapping is not None:
            mappings.parse(mapping, headings, spec)
            values["mapping"] = {heading: mapping.get(heading, "") for heading in headings}
        if options is not None:
            values["options"] = asdict(checked(merged(found.options, options), headings))
        change(ctx, import_id, values)
        return get(ctx, import_id)


def checked(options: Options, headings: Sequence[str]) -> Options:
    """Refuses options that make no sense. Raises Invalid."""
    texts = (options.key, options.duplicates, options.locale, options.currency)
    if not all(isinstance(one, str) for one in texts) or not all(isinstance(w, Mapping) for w in words_of(options)):
        raise Invalid.of(
            "options", msg("The options of an import are texts; the words of a column stand in an object.")
        )
    if options.duplicates not in ("skip", "update"):
        raise Invalid.of("duplicates", msg("Duplicates can be skipped or updated."))
    if options.key and options.key not in headings:
        raise Invalid.of("key", msg("The file has no column {name}.", name=options.key))
    return options


def words_of(options: Options) -> list[object]:
    """The objects that must be mappings among the options."""
    words: object = options.words
    return [words, *words.values()] if isinstance(words, Mapping) else [words]


def merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> Options:
    """The options with some of them changed. Raises Invalid for one that does not exist."""
    unknown = sorted(set(given) - set(stored))
    if unknown:
        raise Invalid.of(unknown[0], msg("There is no option {name}.", name=unknown[0]), "unknown_field")
    return Options(**{**stored, **given})


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
        rows = list(islice(table.rows(), limit))
        prepared = [importer.reader.read(row) for row in rows]
        importer.look_at_people(ctx, prepared)
        known = importer.keys.find(ctx, (importer.keys.normal(one.key) for one in prepared))
        return Preview(
            table.headings, [preview_row(row, one, importer, known) for row, one in zip(rows, prepared, strict=True)]
        )


def preview_row(row: Row, prepared: Prepared, importer: Importer, known: Mapping[str, int]) -> PreviewRow:
    """One row of a preview."""
    duplicate = importer.keys.normal(prepared.key) in known
    return PreviewRow(row.number, row.cells, prepared.errors, duplicate, prepared.notes)


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
        change(ctx, import_id, {"state": QUEUED, "job_id": job_id})
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
        change(ctx, import_id, {"mapping": {**found.mapping, **made}})
    crm.refresh()


def define(ctx: Context, entity: str, heading: str, target: str) -> str:
    """Defines one custom field and returns its name."""
    kind = target.removeprefix(mappings.NEW)
    if kind not in mappings.NEW_KINDS:
        raise Invalid.of(heading, msg("A column cannot become a field of kind {kind}.", kind=kind))
    return customfields.define(ctx, {"entity": entity, "kind": kind, "label": heading}).key


Checkpoint = Callable[[Context, int, int], None]


def run(
    crm: Installation,
    actor: Actor,
    import_id: int,
    checkpoint: Checkpoint | None = None,
    between: Callable[[], None] | None = None,
) -> Import:
    """Imports what is not imported yet, batch by batch, each in one transaction with the cursor.

    Killed at any moment it goes on where the last committed batch ended. `checkpoint(ctx, done, total)` runs inside
    each batch, `between()` before each; both may raise to stop. Raises what makes the whole import impossible; single
    rows never do.
    """
    define_fields(crm, actor, import_id)
    with crm.database.unit_of_work(actor) as ctx:
        found = get(ctx, import_id)
        if found.state not in (QUEUED, RUNNING, DRAFT):
            return found
        table = table_of(ctx, crm.storage, found)
        importer = importer_for(ctx, crm, found, table)
    total = found.total if found.total is not None else table.count()
    rows = table.rows(after=found.cursor)
    while batch := list(islice(rows, BATCH)):
        if between is not None:
            between()
        write_batch(crm, actor, found, importer, batch, total, checkpoint)
    return end(crm, actor, import_id, DONE)


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
        note(ctx, found.id, outcome, batch[-1].number, total)
        if checkpoint is not None:
            checkpoint(ctx, batch[-1].number, total)


def end(crm: Host, actor: Actor, import_id: int, state: str, error: str | None = None) -> Import:
    """Ends an import in a transaction of its own."""
    with crm.database.unit_of_work(actor) as ctx:
        return finish(ctx, import_id, state, error)
