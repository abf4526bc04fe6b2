"""Connections for the egress client: names are looked up once, and only checked addresses are connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address

import httpcore

from service.security.addresses import Address, Allowlist, literal
from service.security.destinations import check_addresses
from service.security.fetch_errors import UnknownHost, Unreachable

Resolver = Callable[[str, int], Awaitable[list[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """Look up the addresses of a name with the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that passed the check, and to nothing else."""

    def __init__(self, allow: Allowlist, resolver: Resolver) -> None:
        self.allow = allow
        self.resolver = resolver
        self.network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._addresses(host, port)
                check_addresses(host, port, addresses, self.allow)
                return await self._first_that_answers(addresses, port, timeout, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error

    async def _addresses(self, host: str, port: int) -> list[Address]:
        if (address := literal(host)) is not None:
            return [address]
        try:
            return [ip_address(found) for found in await self.resolver(host, port)]
        except socket.gaierror as error:
            if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
                raise UnknownHost(host=host) from error
            raise Unreachable(host=host, reason=f"its name could not be looked up ({error.strerror})") from error
        except UnicodeError as error:
            raise UnknownHost(host=host) from error

    async def _first_that_answers(
        self,
        addresses: list[Address],
        port: int,
        seconds: float | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError("its name has no address")
        share = seconds / len(addresses) if seconds and addresses else seconds  # a dead address leaves time for others
        for address in addresses:
            try:
                return await self.network.connect_tcp(str(address), port, share, None, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure
