"""Pieces of OpenAPI operations: parameters, bodies, answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from host_app.api.schemas import PROBLEM, Schema, link
from host_app.routing import MOST_NUMBER

BASE: Final = "/api/v1"
PROBLEM_TEXTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "The body is not JSON",
        401: "Not signed in",
        403: "The caller's roles do not allow this",
        404: "Unknown, deleted or hidden",
        405: "No such address takes this method",
        409: "Contradicts the present state (locked, in the way, same key in use)",
        412: "Changed in the meantime",
        413: "Too large",
        415: "Not application/json",
        422: "Not valid; `errors` names the fields",
        428: "If-Match is missing",
        429: "Too many requests",
        503: "Not now; see Retry-After",
    }
)
NUMBER: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER}
ID: Final[Schema] = {"name": "id", "in": "path", "required": True, "schema": NUMBER}
UID: Final[Schema] = {"name": "uid", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
IF_MATCH: Final[Schema] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the last read.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the caller; the same key and body have one effect, and the same answer.",
    "schema": {"type": "string", "maxLength": 200},
}


def query(name: str, description: str, schema: Schema | None = None) -> Schema:
    """A query parameter; text unless `schema` says otherwise."""
    return {"name": name, "in": "query", "description": description, "schema": schema or {"type": "string"}}


def one_of(words: Iterable[str]) -> Schema:
    """A text that is one of `words`."""
    return {"type": "string", "enum": [*words]}


LIST_PARAMETERS: Final[tuple[Schema, ...]] = (
    query("filter", "A filter tree as JSON, e.g. {\"field\": \"city\", \"op\": \"eq\", \"value\": \"Lyon\"}."),
    query("sort", "Field names separated by commas; a minus turns the order round."),
    query("fields", "The fields to answer, separated by commas."),
    query("limit", "How many records at most.", {"type": "integer", "minimum": 1, "maximum": 200}),
    query("cursor", "`next` of the page before."),
    query("expand", "References to answer as whole records, to depth 2, separated by commas."),
    query("updated_since", "Only records changed since.", {"type": "string", "format": "date-time"}),
)  # fmt: skip


def problems(*statuses: int) -> Schema:
    """The error answers of an operation; 401, 422 and 503 may always come."""
    content = {"application/problem+json": {"schema": link(PROBLEM)}}
    wanted = sorted({401, 403, 422, 429, 503, *statuses})
    return {str(s): {"description": PROBLEM_TEXTS[s], "content": content} for s in wanted}


def add_common_problems(paths: Mapping[str, Schema]) -> None:
    """Add to each operation what any operation of its shape may answer: an address with a blank may be no address."""
    for path, operations in paths.items():
        for operation in (one for one in operations.values() if isinstance(one, dict)):
            common = {404, 405} if "{" in path else set()
            common |= {400, 413, 415} if "requestBody" in operation else set()
            operation["responses"] = problems(*common) | operation["responses"]


def body(schema: Schema, *, required: bool = True) -> Schema:
    """A JSON request body."""
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def answered(description: str, schema: Schema, *, etag: bool = False) -> Schema:
    """A JSON answer."""
    made: Schema = {"description": description, "content": {"application/json": {"schema": schema}}}
    if etag:
        made["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return made
