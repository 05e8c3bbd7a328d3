"""The one rule for everything that leaves: which addresses this installation may reach.

Names are resolved here and the connection goes to the very address that was judged, so a name that changes its mind
between the check and the connection gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

from gigacore.errors import ConfigurationError, GigaError
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
WEB_PORTS: Final = frozenset({80, 443})
MAIL_PORTS: Final = frozenset({25, 465, 587, 143, 993})
# Ways to write an IPv4 address inside an IPv6 one; what stands inside is judged too.
_NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class Refused(GigaError):
    """The address may not be reached from here."""

    code = "outbound_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class OutboundRule:
    """Who may be reached: public addresses on known ports, and what `GIGA_OUTBOUND_ALLOW` names."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    @classmethod
    def of(cls, allowed: Iterable[str]) -> OutboundRule:
        """From hosts (`mail.internal`, `127.0.0.1:8025`) and networks (`10.0.0.0/8`). Raises ConfigurationError."""
        hosts, networks = set(), []
        for entry in allowed:
            text = entry.strip().lower()
            if "/" not in text:
                hosts.add(text)
                continue
            try:
                networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                raise ConfigurationError(
                    msg("GIGA_OUTBOUND_ALLOW holds {entry}, which is no host and no network.", entry=entry)
                ) from None
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, port: int) -> bool:
        """Whether the installation's own settings name this host or its literal address."""
        name = host.strip("[]").rstrip(".").lower()
        if name in self.hosts or f"{name}:{port}" in self.hosts or f"[{name}]:{port}" in self.hosts:
            return True
        try:
            return self.in_networks(ipaddress.ip_address(name))
        except ValueError:
            return False

    def judge_literal(self, host: str, port: int) -> None:
        """Refuse an address that is written in numbers, in whatever way, without asking for names. Raises Refused."""
        try:
            socket.getaddrinfo(host.strip("[]"), port, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            return
        self.resolve(host, port)

    def in_networks(self, address: IPAddress) -> bool:
        """Whether the address lies in a network that the settings name."""
        return any(address.version == network.version and address in network for network in self.networks)

    def resolve(self, host: str, port: int, ports: frozenset[int] = WEB_PORTS) -> list[tuple[int, str]]:
        """The addresses of a host, as (family, address), all of them judged. Raises Refused."""
        if not 0 < port < 65536:
            raise Refused(msg("{port} is no port.", port=port))
        if self.allows(host, port):
            return addresses_of(host, port)
        if port not in ports:
            raise Refused(msg("Port {port} may not be reached from here.", port=port), fix=_allow(host))
        found = addresses_of(host, port)
        for _, text in found:
            address = ipaddress.ip_address(text.partition("%")[0])
            if not is_public(address) and not self.in_networks(address):
                raise Refused(msg("{host} is not a public address.", host=host), fix=_allow(host))
        return found

    def connect(self, host: str, port: int, timeout: float | None, ports: frozenset[int] = WEB_PORTS) -> socket.socket:
        """A connected socket to the first address that answers. Raises Refused, OSError."""
        problem: OSError | None = None
        for family, address in self.resolve(host, port, ports):
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.settimeout(timeout)
            try:
                sock.connect((address, port))
            except OSError as error:
                sock.close()
                problem = error
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
        raise problem or OSError(f"{host} has no address")


def _allow(host: str) -> Msg:
    return msg("If {host} is meant, name it in GIGA_OUTBOUND_ALLOW.", host=host)


def addresses_of(host: str, port: int) -> list[tuple[int, str]]:
    """What the resolver says, however the host is written. Raises Refused."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(msg("{host} cannot be found.", host=host)) from None
    return [(int(family), str(address[0])) for family, _, _, _, address in found]


def is_public(address: IPAddress) -> bool:
    """Whether an address, and every address written inside it, belongs to the public Internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _NAT64):
            return False
        inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(inner is not None and not is_public(inner) for inner in inside):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved
