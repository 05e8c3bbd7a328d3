"""The views of a list: the built-in ones (all, one's own, what is due), saved ones, and which of them is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from werkzeug.datastructures import MultiDict

from gigacore import views as saved
from gigacore.entity import EntitySpec
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from gigacore.views import ListChoice, View
from host_app.pages import listing
from host_app.pages.addresses import list_url
from host_app.pages.filters import ME, Condition, Filter, from_tree
from host_app.pages.listing import BOARD, Listing
from host_app.pages.reader import Reader

DATES: Final = frozenset({"date", "datetime"})
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Tab:
    """One view above the list. `key` is a built-in view's name or a saved one's number."""

    key: str
    label: str
    url: str
    current: bool = False
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is saved for one reader and one entity."""

    views: tuple[View, ...]
    choice: ListChoice

    def view(self, key: str) -> View | None:
        """The saved view with that number or uid."""
        return next((view for view in self.views if key in (str(view.id), view.uid)), None)


def kept(spec: EntitySpec, who: Reader) -> Kept:
    """The reader's views and choice, read again only after somebody changed one."""

    def read() -> Kept:
        return Kept(tuple(saved.views_of(who.ctx, spec.name)), saved.choice_of(who.ctx, spec.name))

    return who.kept(("views", spec.name, who.actor.user_id), read)


def state_of(spec: EntitySpec, args: MultiDict[str, str], who: Reader) -> Listing:
    """The state that an address asks for: `?view=` opens a view, no parameters the one that the reader chose."""
    known = kept(spec, who)
    key = args.get("view", "") if args else known.choice.default_view
    return opened(spec, key, who) if key else listing.read(spec, args)


def opened(spec: EntitySpec, key: str, who: Reader) -> Listing:
    """The state of a view; that of the whole list where the view is gone."""
    view = kept(spec, who).view(key)
    if view is None:
        return Listing(spec, filter=_builtin(spec, who).get(key, (msg("All"), Filter()))[1])
    kind = "" if view.kind == "table" else view.kind
    fields = tuple(name for name in view.fields if name in spec.fields)
    return Listing(spec, view.search, from_tree(view.filter), view.sort, fields, kind=kind, origin=str(view.id))


def is_changed(state: Listing, view: View, who: Reader) -> bool:
    """Whether the list differs from the saved view from which it began."""
    return _content(state) != _content(opened(state.spec, str(view.id), who))


def _content(state: Listing) -> tuple[object, ...]:
    return state.q, state.filter.tree(), state.sort, state.fields, state.kind


def tabs(state: Listing, who: Reader) -> list[Tab]:
    """All views, the open one marked; none where there would be only one."""
    spec, known = state.spec, kept(state.spec, who)
    bare, tree = not state.q and not state.origin, state.filter.tree()
    found = []
    for key, (label, chosen) in _builtin(spec, who).items():
        url = _whole(spec, known) if key == ALL else Listing(spec, filter=chosen).url
        found.append(Tab(key, who.t(label), url, bare and tree == chosen.tree()))
    found += [_saved(view, state, who) for view in known.views]
    return found if len(found) > 1 else []


def _saved(view: View, state: Listing, who: Reader) -> Tab:
    path = list_url(state.spec) + (f"/{BOARD}" if view.kind == BOARD else "")
    icon = {"all": "users", "team": "users-group"}.get(view.shared, "")
    return Tab(str(view.id), view.name, f"{path}?view={view.id}", state.origin == str(view.id), icon)


def _whole(spec: EntitySpec, known: Kept) -> str:
    """The address of the whole list, even for readers whose list opens with another view."""
    return f"{list_url(spec)}?view={ALL}" if known.choice.default_view else list_url(spec)


def _builtin(spec: EntitySpec, who: Reader) -> dict[str, tuple[Msg, Filter]]:
    in_team = bool(who.actor.tree_ids or who.actor.team_ids)
    return who.kept(("built-in views", spec.name, in_team), lambda: builtin_views(spec, in_team=in_team))


def builtin_views(spec: EntitySpec, *, in_team: bool) -> dict[str, tuple[Msg, Filter]]:
    """Labels and filters by key: all, one's own, one's team's, and for dated work what is due."""
    found = {ALL: (msg("All"), Filter())}
    if spec.owned:
        found["mine"] = (msg("Mine"), Filter((Condition("owner_id", "in", [ME]),)))
        if in_team:
            found["team"] = (msg("My team's"), Filter((Condition("team_id", "in", {"ref": "actor.tree"}),)))
    due = spec.fields.get(spec.sort.lstrip("-"))
    if due is not None and due.kind in DATES and due.name not in ("created_at", "updated_at"):
        found["today"] = (msg("Today"), _open(spec, Condition(due.name, "eq", {"period": "today"})))
        found["week"] = (msg("This week"), Filter((Condition(due.name, "eq", {"period": "this_week"}),)))
        found["overdue"] = (msg("Overdue"), _open(spec, Condition(due.name, "lt", {"ref": "now"})))
    return found


def _open(spec: EntitySpec, condition: Condition) -> Filter:
    """The condition, and still open where the status tells that."""
    board = spec.fields.get(spec.board or "")
    if board is None or board.kind != "choice":
        return Filter((condition,))
    return Filter((condition, Condition(f"{board.name}.kind", "eq", "open")))


def kinds(state: Listing, who: Reader, *, board: bool) -> list[Tab]:
    """The kinds of view that the entity has: table, cards, by status, board."""
    wanted = [("", msg("Table"), "table"), ("cards", msg("Cards"), "layout-grid")]
    if board:
        wanted += [("status", msg("By status"), "list-details"), (BOARD, msg("Board"), "layout-kanban")]
    return [Tab(key, who.t(text), state.at(kind=key).url, key == state.kind, icon) for key, text, icon in wanted]


def shown_names(state: Listing, who: Reader) -> Sequence[str]:
    """The columns that the address names, else those that the reader chose last."""
    return state.fields or kept(state.spec, who).choice.fields
