"""What conditions may be about: fields along references, and related rows, as one reader may know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from gigacore import access
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.filter.relations import find_relation
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.pages.columns import label_of
from host_app.pages.reader import Reader

MOST_STEPS: Final = 3
UNOFFERED: Final = frozenset({"version", "org_id"})
PARTS: Final = ("kind", "currency")


class Rows(Protocol):
    """Records of an entity, child rows, activities, links."""

    @property
    def name(self) -> str:
        """What they are called."""

    @property
    def fields(self) -> Mapping[str, FieldSpec]:
        """Their fields."""

    @property
    def table(self) -> Any:
        """Their table."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields and relations that one reader may use in filters; `events` offers what was changed, too."""

    reader: Reader
    events: bool = False

    def fields(self, rows: Rows) -> list[FieldSpec]:
        """The fields of these rows by which the reader may filter."""
        found: Iterable[FieldSpec] = rows.fields.values()
        if isinstance(rows, EntitySpec):
            found = self.reader.readable(rows)
        return [one for one in found if not one.secret and one.name not in UNOFFERED]

    def resolve(self, steps: Sequence[str], rows: Rows) -> tuple[FieldSpec | None, str]:
        """The field at the end of the steps, and the part of it that is meant (`kind`, `currency`)."""
        spec: FieldSpec | None = None
        for step in (step for step in steps if step):
            if spec is not None and step in PARTS and step in self.parts(spec):
                return spec, step
            if spec is not None:
                target = self.target(spec)
                if target is None:
                    return None, ""
                rows = target
            spec = next((one for one in self.fields(rows) if one.name == step), None)
            if spec is None:
                return None, ""
        return spec, ""

    def steps(self, path: str, rows: Rows) -> tuple[str, ...]:
        """The steps of a path as the filter language writes it; empty when the reader does not know it."""
        left, found = path.split("."), list[str]()
        while left:
            spec, _part = self.resolve(found, rows) if found else (None, "")
            here = rows if spec is None else self.target(spec)
            names = {one.name for one in self.fields(here)} if here is not None else set()
            one, two = left[0], ".".join(left[:2])
            if one in names or (spec is not None and one in self.parts(spec)):
                found, left = [*found, one], left[1:]
            elif two in names:
                found, left = [*found, two], left[2:]
            else:
                return ()
        return tuple(found)

    def target(self, spec: FieldSpec) -> EntitySpec | None:
        """The entity to which a reference leads, if the reader may see its records."""
        found = self.reader.registry.entities.get(spec.target or "") if spec.kind == "ref" else None
        return found if found is not None and self.reader.may("view", found.name) else None

    def parts(self, spec: FieldSpec) -> tuple[str, ...]:
        """The parts of a field that can be compared on their own."""
        if spec.kind == "choice" and spec.choice_list:
            return ("kind",)
        return ("currency",) if spec.kind == "money" else ()

    def related(self, rows: Rows, name: str) -> Rows | None:
        """The rows of a relation, if the reader may ask about them."""
        registry = self.reader.registry
        if not isinstance(rows, EntitySpec) or name not in {known for known, _label in self.relations(rows)}:
            return None
        found = find_relation(name, rows, registry, registry.relation_sources)
        return found.rows if found is not None else None

    def relations(self, rows: Rows) -> list[tuple[str, str]]:
        """Names and labels of what can be related to records: child rows, referring and linked records, activities."""
        if not isinstance(rows, EntitySpec):
            return []
        who = self.reader
        children = who.kept(("child rows", rows.name), lambda: self._children(rows))
        found = [(name, who.t(rows.children[name].label)) for name in children]
        found += self._referring(rows)
        found.append(("core.activities", who.t(msg("Activities"))))
        linked = [one for one in who.entities("view") if one.group != "Settings"]
        words = {one.name: who.t(msg("Linked: {things}", things=who.t(one.label_plural))) for one in linked}
        return found + [(f"links.{name}", label) for name, label in words.items()]

    def _referring(self, rows: EntitySpec) -> list[tuple[str, str]]:
        who, found = self.reader, []
        for field in who.registry.referrers.get(rows.name, ()):
            other = who.registry.entities.get(field.entity)
            if other is None or field.extension or not who.may("view", other.name):
                continue
            if access.may_read(who.ctx, other, field.name):
                label = f"{who.t(other.label_plural)} ({label_of(field, who)})"
                found.append((f"{other.name}.{field.name}", label))
        return found

    def _children(self, rows: EntitySpec) -> list[str]:
        children = rows.children.values()
        as_fields = {one.name: FieldSpec(one.name, "json", one.label, entity=rows.name) for one in children}
        return [name for name, field in as_fields.items() if access.may_read(self.reader.ctx, rows, field)]
