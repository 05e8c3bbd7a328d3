"""What the running plugins provide for ports, by key: as it is, or made with the installation when first asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gigacore.errors import PluginError
from gigacore.messages import msg
from gigacore.plugins.calls import STOPS, Calls
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.plugins.manifest import Plugin
    from gigacore.webhooks import InboundSource

PROVIDES: Final = "provides"
INBOUND: Final = "inbound"


@dataclass(slots=True)
class Provided:
    """The implementations of one start. One that cannot be made is left out, and administrators see why."""

    crm: Crm
    plugins: Iterable[Plugin]
    calls: Calls
    strict: bool = False
    _made: dict[tuple[object, str], object] = field(default_factory=dict)

    def of(self, port: object, needs: Iterable[str] = ()) -> dict[str, Any]:
        """All implementations of a port that can do what is needed, in the order of the plugins."""
        found = {key: self._one(port, plugin, key, given) for plugin, key, given in self._given(port)}
        wanted = set(needs)
        return {key: one for key, one in found.items() if one is not None and wanted <= capabilities(one)}

    def sources(self) -> list[InboundSource]:
        """The senders of web hooks that the plugins know; of two with one name the first is kept, the other told."""
        kept: dict[str, InboundSource] = {}
        for plugin in self.plugins:
            for one in plugin.inbound:
                source = self._try(plugin, INBOUND, partial(_new_source, kept, plugin, one))
                if source is not None:
                    kept[source.name] = source
        return list(kept.values())

    def _given(self, port: Any) -> Iterator[tuple[Plugin, str, Any]]:
        for plugin in self.plugins:
            given = plugin.provides.get(port)
            if isinstance(given, Mapping):
                yield from ((plugin, f"{plugin.name}.{name}", one) for name, one in given.items())
            elif given is not None:
                yield plugin, plugin.name, given

    def _one(self, port: object, plugin: Plugin, key: str, given: Any) -> Any:
        if not (inspect.isclass(given) or inspect.isroutine(given)):
            return given
        if (port, key) not in self._made:
            made = self._try(plugin, PROVIDES, given)
            if made is None:
                return None
            self._made.setdefault((port, key), made)  # of two at once, the first one stays
        return self._made[port, key]

    def _try(self, plugin: Plugin, place: str, make: Callable[[Crm], Any]) -> Any:
        try:
            with self.calls.into(plugin.name, place):
                return make(self.crm)
        except STOPS:
            raise
        except BaseException as error:
            if self.strict:
                raise
            self.calls.note(plugin.name, place, error)
            return None


def _new_source(
    kept: Mapping[str, InboundSource], plugin: Plugin, given: InboundSource | Callable[[Crm], Any], crm: Crm
) -> InboundSource | None:
    source: InboundSource | None = given(crm) if callable(given) else given
    if source is not None and source.name in kept:
        raise PluginError(
            plugin.name,
            msg("Another plugin knows a sender of web hooks called {name}.", name=source.name),
            fix=msg("One of the two needs another name."),
        )
    return source


def capabilities(one: object) -> frozenset[str]:
    """What an implementation says that it can beyond the least; some ports know no such thing."""
    return frozenset(getattr(one, "capabilities", ()))
