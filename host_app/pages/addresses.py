"""Addresses of pages."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from gigacore.entity import EntitySpec


def list_url(spec: EntitySpec) -> str:
    """The list of an entity."""
    return f"/{spec.plugin}/{spec.plural}"


def record_url(spec: EntitySpec, record_id: int, *more: str) -> str:
    """The page of a record, or one below it."""
    return "/".join((f"/{spec.plugin}/{spec.plural}/{record_id}", *more))


def new_url(spec: EntitySpec, **preset: object) -> str:
    """The form of a new record, with some fields filled in."""
    return with_query(f"{list_url(spec)}/new", preset.items())


def with_query(path: str, pairs: Iterable[tuple[str, object]]) -> str:
    """`path` with the parameters that have a value; their names are plain words."""
    filled = [f"{name}={_quoted(str(value))}" for name, value in pairs if value not in (None, "")]
    return f"{path}?{'&'.join(filled)}" if filled else path


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    """A page names its filter in the addresses of some twenty neighbours."""
    return quote(text, safe=",:")


def is_local(target: str) -> bool:
    """Whether `target` is an address of this installation, safe to go to after sign-in."""
    return target.startswith("/") and not target.startswith(("//", "/\\")) and "\n" not in target
