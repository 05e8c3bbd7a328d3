"""A small shop: every kind of declaration that the data floor has to serve."""

import enum
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from typing import Any

from sqlalchemy.orm import Mapped

from gigacore.context import Actor
from gigacore.entity import (
    Child,
    ChildMeta,
    Entity,
    EntityMeta,
    Extension,
    ExtensionMeta,
    FieldSpec,
    Money,
    Registry,
    Transition,
    children,
    computed,
    field,
    ref,
    rollup,
)
from gigacore.errors import Forbidden
from gigacore.messages import msg


class Status(enum.Enum):
    open = "open"
    paid = "paid"
    filed = "filed"


class Line(Child):
    __child__ = ChildMeta("shop.order_line", "shop.order")

    name: Mapped[str] = field(search=True)
    total: Mapped[Money | None] = field()


class Customer(Entity):
    __entity__ = EntityMeta("shop.customer", plural="customers", title="name")

    name: Mapped[str] = field(search=True)
    city: Mapped[str | None] = field(indexed=True)
    token: Mapped[str | None] = field(secret=True)
    shout: Mapped[str | None] = computed(lambda record: record.name.upper(), depends_on=["name"])
    orders: Mapped[int | None] = rollup("shop.order.customer_id", "count")
    bought: Mapped[Money | None] = rollup("shop.order.customer_id", "sum", "price")


class Order(Entity):
    __entity__ = EntityMeta(
        "shop.order",
        plural="orders",
        title="title",
        locked_when={"field": "status", "op": "eq", "value": "paid"},
        frozen_when={"field": "status", "op": "eq", "value": "filed"},
        locked_reason="A paid order is locked.",
    )

    title: Mapped[str] = field()
    status: Mapped[Status] = field(default=Status.open)
    price: Mapped[Money | None] = field()
    due: Mapped[date | None] = field()
    customer_id: Mapped[int | None] = ref("shop.customer", on_delete="restrict")
    lines: Mapped[list[Line]] = children(Line)
    total: Mapped[Money | None] = rollup("lines", "sum", "total")
    line_count: Mapped[int | None] = rollup("lines", "count")


class Delivery(Entity):
    __entity__ = EntityMeta("shop.delivery", plural="deliveries", title="place", access="reference")

    place: Mapped[str] = field()
    order_id: Mapped[int | None] = ref("shop.order", on_delete="cascade")
    customer_id: Mapped[int | None] = ref("shop.customer", on_delete="set_null")


class Parcel(Entity):
    __entity__ = EntityMeta(
        "shop.parcel",
        plural="parcels",
        title="place",
        transitions=(
            Transition("status", ("open",), ("paid",)),
            Transition("status", ("paid",), ("filed",)),
            Transition("status", ("*",), ("open",), action="reopen"),
        ),
    )

    place: Mapped[str] = field()
    status: Mapped[Status] = field(default=Status.open)


class OrderScore(Extension):
    __extension__ = ExtensionMeta("rating", "shop.order")

    score: Mapped[int | None] = field()


REGISTRY = Registry.build([Customer, Order, Delivery, Parcel], extensions=[OrderScore]).with_custom_fields(
    [FieldSpec(name="x_region", kind="text", label="Region", entity="shop.customer", custom=True, search=True)],
    generation=1,
)

ANNA = Actor("user", 1, "Anna")
BEN = Actor("user", 2, "Ben")


@dataclass
class OwnerGuard:
    """Everybody sees and changes what they own; deliveries are everybody's. For controls it can be switched off."""

    limited: bool = True
    asked: list[tuple[str, str, frozenset[str]]] = dataclass_field(default_factory=list)

    def criteria(self, session: Any, entity: Any, verb: str = "view") -> Any:
        if not self.limited or not entity.owned:
            return None
        return entity.cls.owner_id == session.actor.user_id

    def check_write(self, session: Any, entity: Any, obj: Any, verb: str, changed: Any, before: Any) -> None:
        self.asked.append((entity.name, verb, changed))
        if not self.limited or not entity.owned:
            return
        old = (before or {}).get("owner_id", obj.owner_id)
        if session.actor.user_id not in (old,) or obj.owner_id != session.actor.user_id:
            raise Forbidden(msg("You may not do this."))
