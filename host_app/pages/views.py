"""The tabs above a list: all records, one's own, and for dated work what is due."""

from __future__ import annotations

from gigacore.entity import EntitySpec
from gigacore.messages import Msg, msg
from host_app.pages.filters import ME, Condition, Filter
from host_app.pages.listing import Listing

DATES = frozenset({"date", "datetime"})


def views(spec: EntitySpec) -> list[tuple[Msg, str]]:
    """Labels and addresses of the tabs; none where there would be only one."""
    found = [(msg("All"), Filter())]
    mine = Condition("owner_id", "in", [ME])
    if spec.owned:
        found.append((msg("Mine"), Filter((mine,))))
    due = spec.fields.get(spec.sort.lstrip("-"))
    if due is not None and due.kind in DATES and due.name not in ("created_at", "updated_at"):
        found += [
            (msg("Today"), Filter((Condition(due.name, "eq", {"period": "today"}),))),
            (msg("This week"), Filter((Condition(due.name, "eq", {"period": "this_week"}),))),
            (msg("Overdue"), _overdue(spec, due.name)),
        ]
    return [(label, Listing(spec, filter=chosen).url) for label, chosen in found] if len(found) > 1 else []


def _overdue(spec: EntitySpec, name: str) -> Filter:
    """Before now, and still open where the status tells that."""
    late = Condition(name, "lt", {"ref": "now"})
    board = spec.fields.get(spec.board or "")
    if board is None or board.kind != "choice":
        return Filter((late,))
    return Filter((late, Condition(f"{board.name}.kind", "eq", "open")))
