"""How a plugin hears that something changed at whoever provides a port."""

from __future__ import annotations

from gigacore.values import dataclass


@dataclass(frozen=True, slots=True)
class Follower:
    """A job that looks when something changed at a provider of `port`.

    Declared with `Plugin(declares=[Follower(Payments, "shop.look")])`. `crm.announce(ctx, port, key, id)` enqueues
    `job`, a job of the plugin, with `{"provider": key, "id": id}`. It asks the provider for the present state
    (`crm.service(port, key=key)`), as messages come late, twice and in any order.
    """

    port: type
    job: str
