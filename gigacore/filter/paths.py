"""From a dotted path to the field that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from gigacore.entity.spec import EntitySpec, FieldSpec
from gigacore.filter.ast import Hop, Path
from gigacore.filter.relations import Rows
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity.registry import Registry

MAX_HOPS: Final = 2
Readable = Callable[[EntitySpec, FieldSpec], bool]


def everything_readable(entity: EntitySpec, field: FieldSpec) -> bool:
    """The predicate of those who may read every field."""
    return True


@dataclass(frozen=True, slots=True)
class PathFinder:
    """Resolves paths for one reader. A field that the reader may not read is unknown."""

    registry: Registry
    readable: Readable

    def find(self, text: str, rows: Rows) -> Path | None:
        """The path, or None when any step of it is unknown, hidden or one too many."""
        steps = text.split(".")
        hops: list[Hop] = []
        while len(hops) <= MAX_HOPS and len(steps) <= 2 * MAX_HOPS + 3:
            field, rest = self._step(steps, rows)
            if field is None:
                return None
            part = self._part(field, rest)
            if not rest or part:
                return Path(tuple(hops), field, part)
            target = self.registry.entities.get(field.target or "")
            if target is None:
                return None
            hops.append(Hop(field, target))
            rows, steps = target, rest
        return None

    def field(self, name: str, rows: Rows) -> FieldSpec | None:
        """The field of that exact name, if the reader may know it."""
        field, rest = self._step(name.split("."), rows)
        return None if rest else field

    def _step(self, steps: list[str], rows: Rows) -> tuple[FieldSpec | None, list[str]]:
        found, used = rows.fields.get(steps[0]), 1
        if found is None and len(steps) > 1:
            found, used = rows.fields.get(f"{steps[0]}.{steps[1]}"), 2
        if found is None or found.secret:
            return None, []
        if isinstance(rows, EntitySpec) and not self.readable(rows, found):
            return None, []
        return found, steps[used:]

    def _part(self, field: FieldSpec, rest: list[str]) -> Literal["kind", "currency"] | None:
        if rest == ["kind"] and field.kind == "choice" and field.choice_list:
            return "kind"
        return "currency" if rest == ["currency"] and field.kind == "money" else None
