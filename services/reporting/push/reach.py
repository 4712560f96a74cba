"""Which addresses may be reached: public hosts by name, over TLS, pinned to what was resolved.

A name is resolved once for each connection, every address that it gives is looked at, and the
connection goes to one of these and to nothing else: a second resolution, which could differ, is
never made. TLS is verified against the name.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpcore

PORT = 443
MOST_LETTERS = 2_000
MOST_READ = 4_096
"""Bytes of an answer; what follows is left."""
SECONDS: Mapping[str, float] = {"connect": 10.0, "read": 10.0, "write": 10.0, "pool": 10.0}
IN_ALL_SECONDS = 30.0
"""For one post, from the name to the answer: one who sends byte after byte does not hold us."""
MOST_TRIED = 3
"""Addresses of one name, one after the other: a first one may be of a net that is not here."""

_URL = re.compile(r"https://[!-~]+", re.ASCII)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
_INSIDE = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".arpa")
_GLOBAL = IPv6Network("2000::/3")
_EMBEDDING = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48"))
)
"""6to4, Teredo and others of special use within what is global otherwise."""
_RELAYS = (IPv4Network("192.88.99.0/24"), IPv4Network("192.31.196.0/24"))
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


class Refused(Exception):
    """Such an address is never called; says what to do."""


class Unreached(Exception):
    """Nobody answered there, or not as HTTP has it."""


Resolve = Callable[[str], Awaitable[Iterable[str]]]
"""All addresses of a name, as text. Raises `OSError`."""


def checked(url: str) -> str:
    """The host; raises `Refused`. No number is a host, in whatever way it is written."""
    if len(url) > MOST_LETTERS or not _URL.fullmatch(url) or "\\" in url or "#" in url:
        raise Refused("Give an address that begins with https://, in ASCII, without a fragment.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("Give an address as RFC 3986 has it.") from None
    if "@" in parts.netloc:
        raise Refused("Give an address without a user and password.")
    if port not in {None, PORT} or parts.netloc.endswith(":"):
        raise Refused("Give an address on port 443.")
    host = parts.netloc.lower().removesuffix(f":{PORT}")
    if not _HOST.fullmatch(host) or f".{host}".endswith(_INSIDE):
        raise Refused("Name a host of the public DNS; a number is none.")
    return host


def is_public(address: str) -> bool:
    """Whether it is a unicast address of the public internet that stands for no other one."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        special = found.is_multicast or found.is_reserved or any(found in n for n in _RELAYS)
        return found.is_global and not special
    return _is_public_v6(found)


def _is_public_v6(found: IPv6Address) -> bool:
    if found.scope_id is not None or found not in _GLOBAL:
        return False
    embeds = any(found in network for network in _EMBEDDING)
    return not embeds and (int(found) >> 32) & 0xFFFFFFFF not in _ISATAP and found.is_global


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were looked at, by `inner`."""

    def __init__(self, resolve: Resolve, inner: httpcore.AsyncNetworkBackend) -> None:
        self._resolve, self._inner = resolve, inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `Refused` if but one address of the name is not public."""
        try:
            found = tuple(await self._resolve(host))
        except OSError as error:
            raise httpcore.ConnectError(type(error).__name__) from None
        if port != PORT or not all(map(is_public, found)):
            raise Refused("The host's name leads to an address that is not public.")
        for place, address in enumerate(tried := found[:MOST_TRIED], start=1):
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if place == len(tried):
                    raise
        raise httpcore.ConnectError("no address")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class Caller:
    """Posts; follows nothing, keeps no connection, asks no proxy."""

    def __init__(
        self,
        resolve: Resolve,
        inner: httpcore.AsyncNetworkBackend,
        tls: ssl.SSLContext,
        in_all_seconds: float = IN_ALL_SECONDS,
    ) -> None:
        self._backend, self._tls = Pinned(resolve, inner), tls
        self._in_all_seconds = in_all_seconds

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        """The status of the answer. Raises `Refused` and `Unreached`."""
        checked(url)
        pool = httpcore.AsyncConnectionPool(
            self._tls, max_keepalive_connections=0, network_backend=self._backend
        )
        extensions = {"timeout": dict(SECONDS)}
        try:
            async with (
                asyncio.timeout(self._in_all_seconds),
                pool,
                pool.stream(
                    "POST", url, headers=list(headers), content=body, extensions=extensions
                ) as answer,
            ):
                read = 0
                async for part in answer.aiter_stream():
                    read += len(part)
                    if read >= MOST_READ:
                        break
                return answer.status
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
            ssl.SSLError,
            TimeoutError,
        ) as error:
            raise Unreached(type(error).__name__) from None
