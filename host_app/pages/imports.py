"""Import of a CSV file or a workbook, step by step: the file, its columns, progress, report."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, cast

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Conflict, GigaError, Invalid, NotFound
from gigacore.exchange import imports
from gigacore.exchange.cells import protect
from gigacore.exchange.imports import FILE_LIMIT, Import, Preview
from gigacore.exchange.mapping import NEW, writable
from gigacore.exchange.rows import RowError, summed
from gigacore.jobs import cancel as cancel_job
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.exports import attached
from host_app.pages.addresses import list_url
from host_app.pages.columns import label_of
from host_app.pages.currencies import currency_codes
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/import"
ONE: Final = f"{RULE}/<int:number>"
SLOTS: Final = 3
PREVIEWED: Final = 8
SHOWN_ERRORS: Final = 100
RUNNING: Final = frozenset({imports.QUEUED, imports.RUNNING})
STATES: Final = {
    imports.DRAFT: msg("Not started"), imports.QUEUED: msg("Waiting"), imports.RUNNING: msg("Running"),
    imports.DONE: msg("Done"), imports.FAILED: msg("Stopped by a fault"), imports.CANCELLED: msg("Cancelled"),
}  # fmt: skip
NEW_FIELDS: Final = (
    ("text", msg("a new text field")), ("decimal", msg("a new number field")), ("date", msg("a new date field")),
    ("boolean", msg("a new checkbox")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column of the file: its heading, what the first rows hold, and where it goes."""

    heading: str
    samples: str
    target: str
    problem: str = ""


def register(app: Flask) -> None:
    """Declare the routes."""
    may = on_entity("import")
    route(app, RULE, policy=may)(start)
    route(app, RULE, policy=may, methods=["POST"], body=FILE_LIMIT)(upload)
    route(app, ONE, policy=may)(show)
    route(app, ONE, policy=may, methods=["POST"])(decide)
    route(app, f"{ONE}/cancel", policy=may, methods=["POST"])(cancel)
    route(app, f"{ONE}/errors.csv", policy=may)(errors_file)


def start(plugin: str, plural: str) -> ResponseReturnValue:
    """Choose a file."""
    return _start(entity_at(plugin, plural), reader())


def _start(spec: EntitySpec, who: Reader, problem: str = "", status: int = 200) -> Response:
    path = list_url(spec)
    recent = [
        (
            f"{path}/import/{one.id}",
            one.file_name,
            who.t(STATES[one.state]),
            who.formats.relative(one.created_at, who.now),
        )
        for one in imports.recent(who.ctx)
        if one.entity == spec.name
    ]
    return answer("imports/start.html", status, **_frame(spec, who), problem=problem, recent=recent[:8], path=path)


def _frame(spec: EntitySpec, who: Reader) -> dict[str, Any]:
    label = who.t(spec.label_plural)
    return {
        "title": who.t(msg("Import: {things}", things=label.lower())),
        "list_label": label,
        "list_path": list_url(spec),
    }


def upload(plugin: str, plural: str) -> ResponseReturnValue:
    """Store the file and suggest where its columns go."""
    spec, who = entity_at(plugin, plural), reader()
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _start(spec, who, who.t(msg("Choose a file first.")), 422)
    try:
        found = imports.stage(current_crm(), current(), spec.name, cast(BinaryIO, sent.stream), sent.filename)
    except Invalid as error:
        told = [error.message, *(fault.message for fault in error.errors), error.fix]
        return _start(spec, who, " ".join(dict.fromkeys(who.t(text) for text in told if text)), 422)
    return redirect(f"{list_url(spec)}/import/{found.id}", 303)


def _own(spec: EntitySpec, number: int, who: Reader) -> Import:
    found = imports.get(who.ctx, number)
    if found.entity != spec.name:
        raise NotFound
    return found


def show(plugin: str, plural: str, number: int) -> ResponseReturnValue:
    """The columns of an import that has not begun; progress and report of one that has."""
    spec, who = entity_at(plugin, plural), reader()
    found = _own(spec, number, who)
    if found.state == imports.DRAFT:
        return _columns(spec, found, who)
    return _report(spec, found, who)


def decide(plugin: str, plural: str, number: int) -> ResponseReturnValue:
    """Keep the chosen columns and options; look again, or begin."""
    spec, who = entity_at(plugin, plural), reader()
    found = _own(spec, number, who)
    crm, actor = current_crm(), current()
    headings = _headings(found, who)
    mapping = {heading: request.form.get(f"column.{place}", "") for place, heading in enumerate(headings)}
    try:
        imports.configure(crm, actor, number, mapping=mapping, options=_options())
        if request.form.get("do") == "begin":
            imports.begin(crm, actor, number)
    except Conflict as error:
        note(who.t(error.message), kind="error")
    except GigaError as error:
        faults = error.errors if isinstance(error, Invalid) else ()
        problems = {fault.path: who.t(fault.message) for fault in faults} or {"": who.t(error.message)}
        return _columns(spec, found, who, mapping, problems)
    return redirect(request.path, 303)


def _options() -> dict[str, Any]:
    form = request.form
    return {
        "key": form.get("key", ""),
        "duplicates": form.get("duplicates", "skip"),
        "create_references": bool(form.get("create_references")),
        "rules": bool(form.get("rules")),
        "currency": form.get("currency", ""),
    }


def _headings(found: Import, who: Reader) -> Sequence[str]:
    return imports.table_of(who.ctx, current_crm().storage, found).headings


def _columns(
    spec: EntitySpec,
    found: Import,
    who: Reader,
    mapping: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    wrong = dict(problems or {})
    chosen, headings = mapping or found.mapping, _headings(found, who)
    look = None if wrong else _preview(found, who, wrong)
    samples = _samples(look)
    columns = [ColumnChoice(h, samples.get(h, ""), chosen.get(h, ""), wrong.get(h, "")) for h in headings]
    return answer(
        "imports/columns.html",
        422 if problems else 200,
        **_frame(spec, who),
        file_name=found.file_name,
        columns=columns,
        targets=targets(spec, who),
        trouble=[text for name, text in wrong.items() if name not in headings],
        rows=look.rows if look else (),
        headings=headings,
        faulty=sum(1 for row in look.rows if row.errors) if look else 0,
        known=sum(1 for row in look.rows if row.duplicate) if look else 0,
        noted=[who.t(text) for text in summed(one for row in look.rows for one in row.notes)] if look else [],
        options=found.options,
        currencies=currency_codes(who),
        tell=who.t,
        errors_of=lambda row: {fault.column: who.t(fault.message) for fault in (*row.notes, *row.errors)},
    )


def _preview(found: Import, who: Reader, wrong: dict[str, str]) -> Preview | None:
    try:
        return imports.preview(current_crm(), current(), found.id, PREVIEWED)
    except Invalid as error:
        wrong.update({fault.path: who.t(fault.message) for fault in error.errors} or {"": who.t(error.message)})
        return None


def _samples(look: Preview | None) -> dict[str, str]:
    """What the first rows hold, by heading."""
    if look is None:
        return {}
    found: dict[str, str] = {}
    for place, heading in enumerate(look.headings):
        cells = [row.cells[place] for row in look.rows if place < len(row.cells) and row.cells[place]]
        found[heading] = ", ".join(dict.fromkeys(cells[:3]))[:90]
    return found


def targets(spec: EntitySpec, who: Reader) -> list[tuple[str, list[tuple[str, str]]]]:
    """Where a column may go: fields, child rows, new fields."""
    allowed = {field.name for field in who.writable(spec)}
    fields = [(f.name, label_of(f, who)) for f in spec.fields.values() if f.name in allowed and writable(f)]
    groups = [(who.t(msg("Fields")), sorted(fields, key=lambda pair: pair[1].lower()))]
    for child in spec.children.values():
        inner = [field for field in child.fields.values() if writable(field)]
        if inner:
            groups.append((who.t(child.label), list(_slots(child.name, inner, who))))
    if access.may(who.ctx, "edit", "core.custom_field"):
        groups.append((who.t(msg("Added to this CRM")), [(f"{NEW}{kind}", who.t(text)) for kind, text in NEW_FIELDS]))
    return groups


def _slots(name: str, fields: Sequence[FieldSpec], who: Reader) -> Iterator[tuple[str, str]]:
    for place in range(SLOTS):
        for field in fields:
            yield f"{name}.{place}.{field.name}", f"{label_of(field, who)} {place + 1}"


def _report(spec: EntitySpec, found: Import, who: Reader) -> Response:
    faults = imports.errors(who.ctx, found.id, SHOWN_ERRORS, refused=True) if found.failed else []
    noted = imports.errors(who.ctx, found.id, refused=False) if found.noted else []
    number = who.formats.number
    counters = (
        (msg("Created"), found.created), (msg("Updated"), found.updated), (msg("Left alone"), found.skipped),
        (msg("Refused"), found.failed), (msg("Without a value"), found.noted),
    )  # fmt: skip
    return answer(
        "imports/progress.html" if is_partial() else "imports/report.html",
        **_frame(spec, who),
        file_name=found.file_name,
        path=request.path,
        state=who.t(STATES[found.state]),
        running=found.state in RUNNING,
        failed=found.state == imports.FAILED,
        error=_told(found.error, who),
        done=found.cursor,
        total=found.total or 0,
        progress=who.t(msg("{done} of {total} rows", done=number(found.cursor), total=number(found.total or 0))),
        counters=[(who.t(label), number(count)) for label, count in counters],
        tables=_tables(faults, noted[:SHOWN_ERRORS], who),
        notes=[who.t(text) for text in summed(one for _, one in noted)],
        more=max(found.failed, found.noted) > SHOWN_ERRORS,
        rate=_rate(found, who),
    )


def _tables(
    faults: Sequence[tuple[int, RowError]], noted: Sequence[tuple[int, RowError]], who: Reader
) -> list[dict[str, Any]]:
    """The rows at fault, and those that went in without a value, each under its heading."""
    titles = (("h-f", msg("Rows that were refused"), faults), ("h-n", msg("Values that were not taken over"), noted))
    return [
        {
            "id": name,
            "title": who.t(title),
            "rows": [(row, fault.column, who.t(fault.message), fault.value) for row, fault in rows],
        }
        for name, title, rows in titles
        if rows
    ]


def _told(error: str | None, who: Reader) -> str:
    return who.t(error) if error else ""


def _rate(found: Import, who: Reader) -> str:
    end = found.finished_at or who.now
    seconds = (end - found.created_at).total_seconds()
    if not found.cursor or seconds < 1:
        return ""
    return who.t(msg("{count} rows per second", count=who.formats.number(round(found.cursor / seconds))))


def cancel(plugin: str, plural: str, number: int) -> ResponseReturnValue:
    """Stop an import; what was imported stays."""
    spec, who = entity_at(plugin, plural), reader()
    found = _own(spec, number, who)
    if found.job_id is not None:
        with current_crm().unit_of_work(current()) as ctx:
            cancel_job(ctx, found.job_id)
        note(who.t(msg("The import stops after the rows that are being written.")))
    return redirect(f"{list_url(spec)}/import/{number}", 303)


def errors_file(plugin: str, plural: str, number: int) -> ResponseReturnValue:
    """The rows at fault as CSV: row, column, value, reason."""
    spec, who = entity_at(plugin, plural), reader()
    found = _own(spec, number, who)
    text = io.StringIO()
    writer = csv.writer(text)
    heads: tuple[Msg, ...] = (msg("Row"), msg("Column"), msg("Value"), msg("Reason"))
    writer.writerow([who.t(head) for head in heads])
    for row, fault in imports.errors(who.ctx, found.id):
        writer.writerow([row, *map(protect, (fault.column, fault.value, who.t(fault.message)))])
    return attached(("\ufeff" + text.getvalue()).encode(), f"import-{found.id}.csv")
