"""Request bodies: strict JSON, bounded in size, depth and number of values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import orjson
from flask import request

from gigacore.errors import FieldError, Invalid, TooLarge
from gigacore.messages import msg
from host_app.problems import Problem

MAX_DEPTH: Final = 20
MAX_VALUES: Final = 100_000
MAX_INTEGER: Final = 2**63 - 1
TOO_DEEP: Final = msg("The body is nested too deeply: at most {limit} levels.", limit=MAX_DEPTH)


def read_object() -> dict[str, Any]:
    """The body as a JSON object. Raises 415 for another content type, 400 or 422 for other content."""
    value = read_json()
    if not isinstance(value, dict):
        raise Invalid(msg("The body must be a JSON object."))
    return value


def read_optional_object() -> dict[str, Any]:
    """The body as a JSON object; no body counts as an empty one."""
    if not request.content_length and not request.get_data(cache=True):
        return {}
    return read_object()


def read_json() -> Any:
    """The body as JSON. Raises 415 for another content type, 400 for no JSON, 422 for JSON that is refused."""
    if request.mimetype != "application/json":
        raise Problem(415)
    return loads(request.get_data(cache=True))


def loads(raw: bytes | str) -> Any:
    """Strict JSON: no duplicate keys, NaN, infinite or huge numbers, NUL bytes or lone surrogates; bounded depth."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise Invalid(TOO_DEEP) from None
        raise Problem(400, msg("The body is not valid JSON."), code="malformed_json") from None
    _inspect(value)
    json.loads(raw, object_pairs_hook=_without_duplicates)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise Invalid(errors=[FieldError(name, msg("This key appears twice."), "duplicate_key")])
        names.add(name)


def _inspect(value: Any) -> None:
    """Walk without recursion; a hostile body must not cost more than its length."""
    level: list[tuple[str, Any]] = [("", value)]
    seen = 0
    for _depth in range(MAX_DEPTH):
        seen += len(level)
        if seen > MAX_VALUES:
            raise TooLarge(msg("The body holds too many values: at most {limit}.", limit=MAX_VALUES))
        level = [child for path, item in level for child in _children(path, item)]
        if not level:
            return
    raise Invalid(TOO_DEEP)


def _children(path: str, item: Any) -> Iterator[tuple[str, Any]]:
    kind = type(item)
    if kind is dict:
        for key, child in item.items():
            _check_text(path or key, key)
            yield (f"{path}.{key}" if path else key), child
    elif kind is list:
        for index, child in enumerate(item):
            yield f"{path}.{index}", child
    elif kind is str:
        _check_text(path, item)
    elif kind is int and abs(item) > MAX_INTEGER:
        raise Invalid.of(path, msg("This number is too large."))


def _check_text(path: str, text: str) -> None:
    if "\x00" in text:
        raise Invalid.of(path.replace("\x00", ""), msg("This text holds characters that cannot be stored."))
