"""The numbers and sums over the columns of a board: counted now, or kept where there are very many records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gigacore import access
from gigacore.data.currency import Totals
from gigacore.entity import Money
from gigacore.messages import msg
from gigacore.records import rollups
from gigacore.records.rollups import WEIGHTED, Question
from gigacore.records.totals import all_totals_by, in_base
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec
    from host_app.pages.lanes import Place, Places
    from host_app.pages.listing import Listing
    from host_app.pages.reader import Reader


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount over a column in the organisation's currency; its `parts` by currency where there are others.

    `missing` says which currencies the amount leaves out.
    """

    text: str = ""
    parts: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """The amounts of a whole board, by column: plain, and weighted by probability where the entity knows that."""

    plain: Mapping[str, Totals]
    weighted: Mapping[str, Totals]

    def of(self, place: Place, who: Reader) -> tuple[Sum, Sum]:
        """The two sums of a column."""
        plain = _sum(self.plain.get(place.key), who)
        return plain, _sum(self.weighted.get(place.key), who) if plain.text else Sum()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of a board: the records of each column, the sums, and as of when that is."""

    counts: Mapping[str, int]
    sums: Sums
    at: datetime


def kept_of(places: Places, state: Listing, who: Reader) -> Standing | None:
    """The kept numbers and sums of a board without filter and search; None where they must be counted."""
    spec, by = state.spec, places.field.name
    if state.filter.tree() is not None or state.q:
        return None
    rollups.take_age(who.ctx)
    names = _summed(spec, who)
    found = [rollups.answer(who.ctx, Question(spec.name, by, name)) for name in names or [""]]
    at = rollups.take_age(who.ctx)
    parts = [one for one in found if one is not None]
    if at is None or len(parts) < len(found):
        return None
    counts = {_key(value): number for value, number in rollups.numbers(parts[0]).items()}
    return Standing(counts, _of_names(_totals([rollups.amounts(one) for one in parts], who)), at)


def _totals(sums: Sequence[Mapping[Any, Sequence[Money]]], who: Reader) -> list[Mapping[Any, Totals]]:
    """Sums with their totals; the rates are read once for all of them."""
    totals = iter(in_base(who.ctx, [amounts for found in sums for amounts in found.values()]))
    return [{value: next(totals) for value in found} for found in sums]


def sums_of(places: Places, state: Listing, who: Reader) -> Sums:
    """The sums of all columns, in one statement."""
    spec = state.spec
    tree = state.whole({f.name: f for f in who.readable(spec)})
    if places.group:
        mine = {"field": places.group, "op": "eq", "value": places.chosen}
        tree = mine if tree is None else {"all": [tree, mine]}
    names = _summed(spec, who)
    if not names:
        return Sums({}, {})
    found = all_totals_by(who.ctx, spec.name, names, places.field.name, tree)
    return _of_names([found[name] for name in names])


def _of_names(totals: Sequence[Mapping[Any, Totals]]) -> Sums:
    by_key = [{_key(value): one for value, one in found.items()} for found in totals]
    return Sums(by_key[0] if by_key else {}, by_key[1] if len(by_key) > 1 else {})


def _key(value: Any) -> str:
    return str(getattr(value, "value", value))


def _summed(spec: EntitySpec, who: Reader) -> list[str]:
    """The first amount of the list that the reader may see, and with it the weighted one."""
    readable = [name for name in rollups.board_sums(spec) if access.may_read(who.ctx, spec, name)]
    plain = [name for name in readable if name != WEIGHTED][:1]
    return plain + [name for name in readable if plain and name == WEIGHTED]


def _sum(found: Totals | None, who: Reader) -> Sum:
    """The total in the organisation's currency, and what it is made of where that is not one currency."""
    if found is None:
        return Sum()
    base = found.total.currency
    if [one.currency for one in found.sums] == [base]:
        return Sum(_amount(found.total, who))
    missing = who.t(msg("Without {codes}: no rate", codes=", ".join(found.missing))) if found.missing else ""
    total = _amount(found.total, who) if len(found.missing) < len(found.sums) else "–"
    converted = any(one.currency not in (base, *found.missing) for one in found.sums)
    return Sum(f"≈ {total}" if converted else total, " + ".join(_amount(one, who) for one in found.sums), missing)


def _amount(money: Money, who: Reader) -> str:
    return who.formats.money(money.amount, money.currency, whole=True)
