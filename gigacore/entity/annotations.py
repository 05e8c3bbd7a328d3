"""Reading `Mapped[...]` annotations, written as values or as text."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from sqlalchemy.orm import Mapped


def own_annotations(cls: type) -> Mapping[str, Any]:
    """The annotations that `cls` itself writes."""
    return inspect.get_annotations(cls)


def inner_type(cls: type, name: str, annotation: Any) -> tuple[Any, bool]:
    """The type inside `Mapped[...]` and whether it may be None. Raises TypeError when there is no such annotation."""
    if isinstance(annotation, str):
        annotation = eval(annotation, vars(sys.modules[cls.__module__]), {cls.__name__: cls})  # noqa: S307 - the text is the author's own source code
    if get_origin(annotation) is not Mapped:
        raise TypeError(f"{cls.__qualname__}.{name} must be annotated with Mapped[...]")
    return _without_none(get_args(annotation)[0])


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    parts = [part for part in get_args(hint) if part is not type(None)]
    return parts[0], len(parts) < len(get_args(hint))
