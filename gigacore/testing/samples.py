"""Valid input for any entity, made from the registry alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gigacore.entity import EntitySpec, FieldSpec, Registry

VALUES: Mapping[str, Any] = {
    "text": "Sample",
    "longtext": "A longer sample text.",
    "url": "https://example.test/",
    "email": "sample@example.test",
    "phone": "+33 1 23 45 67 89",
    "integer": 1,
    "decimal": "1.50",
    "money": {"amount": "12.50", "currency": "EUR"},
    "boolean": True,
    "date": "2026-01-31",
    "datetime": "2026-01-31T09:00:00Z",
    "json": {},
    "uuid": "0190b2c0-0000-7000-8000-000000000000",
}
Create = Callable[[str, Mapping[str, Any]], int]


def sample(registry: Registry, entity: EntitySpec, create: Create) -> dict[str, Any]:
    """The least that the API accepts for a new record; `create(entity, data)` makes what it must refer to."""
    refs: dict[str, int] = {}
    wanted = [spec for spec in entity.fields.values() if _needed(spec)]
    for name in entity.required_any[:1]:
        wanted.append(entity.fields[name])
    return {spec.name: value_of(registry, spec, create, refs) for spec in wanted}


def _needed(spec: FieldSpec) -> bool:
    return spec.required and not spec.readonly and spec.default is None and "." not in spec.name


def value_of(registry: Registry, spec: FieldSpec, create: Create, refs: dict[str, int]) -> Any:
    """One acceptable value."""
    if spec.kind == "ref":
        return _reference(registry, spec, create, refs)
    if spec.kind in ("choice", "choices"):
        key = registry.choice_lists[spec.choice_list or ""].choices[0].key
        return [key] if spec.kind == "choices" else key
    if spec.kind == "enum":
        return spec.choices[0][0]
    return VALUES[spec.kind]


def _reference(registry: Registry, spec: FieldSpec, create: Create, refs: dict[str, int]) -> int:
    target = spec.target or ""
    if target.startswith("core."):
        return 1
    if target not in refs:
        other = registry.entities[target]
        data = sample(registry, other, create)
        # Records that belong together share their targets: a stage lies in the pipeline of its opportunity.
        for field in other.fields.values():
            if field.name in data and field.target in refs:
                data[field.name] = refs[field.target or ""]
        refs[target] = create(target, data)
    return refs[target]
