"""Which network addresses may be contacted: pure rules, no I/O.

An address is judged by what it finally reaches: IPv4-mapped, 6to4, Teredo and NAT64 addresses carry an IPv4 address,
and that one counts. `ipaddress.is_private` alone is not enough: to it 100.64.0.1, 64:ff9b::7f00:1 and 2002:7f00:1::
are not private.
"""

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052

# What the IANA special-purpose registries (RFC 6890 and after) list and some Python versions call global, and the
# public address under which one cloud serves its machines' secrets.
NOT_PUBLIC: tuple[tuple[Network, str], ...] = (
    (ip_network("100.64.0.0/10"), "is shared by a provider's customers (RFC 6598)"),
    (ip_network("192.0.0.0/24"), "is for protocols, not for hosts (RFC 6890)"),
    (ip_network("192.88.99.0/24"), "is a retired 6to4 relay (RFC 7526)"),
    (ip_network("168.63.129.16/32"), "is a cloud's metadata service"),
    (ip_network("64:ff9b:1::/48"), "is a local NAT64 prefix (RFC 8215)"),
    (ip_network("fec0::/10"), "is site-local (RFC 3879)"),
    (ip_network("3fff::/20"), "is for documentation (RFC 9637)"),
    (ip_network("5f00::/16"), "is for segment routing (RFC 9602)"),
)


def literal(host: str) -> Address | None:
    """Read a host as an IP address in any spelling that a resolver accepts, or return None for a name.

    Resolvers also take `2130706433`, `0x7f.1` and `0177.0.0.1` for 127.0.0.1 (inet_aton).
    """
    bare = host.removesuffix(".")
    try:
        return ip_address(bare)
    except ValueError:
        pass
    if not bare or not set(bare.lower()) <= set("0123456789abcdefx."):
        return None
    try:
        return IPv4Address(socket.inet_aton(bare))
    except OSError:
        return None


def carried(address: Address) -> Iterator[Address]:
    """Yield the addresses that `address` finally reaches: itself, or the IPv4 addresses wrapped in it."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo
    elif address in NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    else:
        yield address


def forbidden(address: Address) -> str | None:
    """Say why an address may not be contacted ("is a loopback address"), or return None when it is public."""
    for reached in carried(address):
        if reason := _not_public(reached):
            return reason if reached == address else f"leads to {reached}, which {reason}"
    return None


def _not_public(address: Address) -> str | None:
    for network, reason in NOT_PUBLIC:
        if address in network:
            return reason
    if address.is_loopback:
        return "is a loopback address"
    if address.is_link_local:
        return "is a link-local address"
    if address.is_multicast:
        return "is a multicast address"
    if address.is_unspecified:
        return "is the unspecified address"
    if not address.is_global or address.is_reserved:
        return "is a reserved address" if address.is_reserved else "is a private address"
    return None


@dataclass(frozen=True, slots=True)
class Allowlist:
    """The named exceptions of PHAROS_EGRESS_ALLOW: networks (CIDR or address), `host`, `host:port`."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Read the entries; an address with a port is written `127.0.0.1:8080` or `[::1]:8080`."""
        networks: list[Network] = []
        hosts: set[tuple[str, int | None]] = set()
        for entry in entries:
            try:
                networks.append(ip_network(entry, strict=False))
            except ValueError:
                name, colon, port = entry.rpartition(":")
                if colon and port.isdecimal():
                    hosts.add((_spelling(name), int(port)))
                else:
                    hosts.add((_spelling(entry), None))
        return cls(tuple(networks), frozenset(hosts))

    def names(self, host: str, port: int) -> bool:
        """Tell whether the host itself is an exception, whatever addresses it has."""
        name = _spelling(host)
        return (name, port) in self.hosts or (name, None) in self.hosts

    def covers(self, address: Address) -> bool:
        """Tell whether every address that `address` finally reaches lies in an excepted network."""
        return all(any(reached in network for network in self.networks) for reached in carried(address))


def _spelling(host: str) -> str:
    """Write a host in one way, so that `LOCALHOST.` is `localhost` and `0x7f.1` is `127.0.0.1`."""
    bare = host.strip("[]").rstrip(".").lower()
    address = literal(bare)
    return str(address) if address is not None else bare
