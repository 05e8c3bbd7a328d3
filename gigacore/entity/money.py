"""Money: an exact amount with four places and its currency."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final, overload

from gigacore.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute

PLACES: Final = Decimal("0.0001")
MAX_AMOUNT: Final = Decimal("99999999999999.9999")  # so that the scaled value fits 64 bits on SQLite


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217). Amounts of different currencies do not add: that raises ValueError."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", quantise(self.amount))

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        return Money(self.amount * factor, self.currency)


def quantise(amount: Decimal) -> Decimal:
    """`amount` with exactly four places. Raises ValueError beyond 14 digits before the point or when not finite."""
    if not amount.is_finite() or abs(amount) > MAX_AMOUNT:
        raise ValueError(f"amount out of range: {amount}")
    return amount.quantize(PLACES, rounding=ROUND_HALF_EVEN)


class MoneyAttribute:
    """The attribute of an entity that shows two columns (`<name>_value`, `<name>_currency`) as one `Money`."""

    __slots__ = ("_currency", "_value")

    def __init__(self, name: str) -> None:
        self._value = f"{name}_value"
        self._currency = f"{name}_currency"

    @overload
    def __get__(self, instance: None, owner: type) -> InstrumentedAttribute[Any]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Money | None: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return getattr(owner, self._value)
        amount, currency = getattr(instance, self._value), getattr(instance, self._currency)
        return None if amount is None else Money(amount, currency)

    def __set__(self, instance: object, value: Money | None) -> None:
        setattr(instance, self._value, None if value is None else value.amount)
        setattr(instance, self._currency, None if value is None else value.currency)
