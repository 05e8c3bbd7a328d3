"""Input checked by schemas that are made from the registry.

marshmallow is loaded with the first input: importing it takes as long as a twentieth of a start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gigacore.entity import EntitySpec, FieldSpec, Registry

if TYPE_CHECKING:
    from marshmallow import Schema


def input_schema(
    registry: Registry, spec: EntitySpec, *, partial: bool, writable: frozenset[str] | None = None
) -> Schema:
    """The schema of input for `spec`, kept in the registry. `writable` narrows it to these fields (None = all).

    `partial` input (an update) may leave required fields out, but not empty them.
    """
    from gigacore.records import schema

    return schema.input_schema(registry, spec, partial=partial, writable=writable)


def params_schema(registry: Registry, specs: Iterable[FieldSpec]) -> Schema:
    """The schema of an action's parameters."""
    from gigacore.records import schema

    return schema.params_schema(registry, specs)


def load_input(schema: Schema, data: object) -> dict[str, Any]:
    """The checked values. Raises Invalid with one error per value at fault."""
    from gigacore.records.schema import load_input

    return load_input(schema, data)


def quick_load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `load_input` gives for good input, without its bookkeeping; None = it must say itself what is wrong."""
    from gigacore.records.schema import quick_load

    return quick_load(schema, data)
