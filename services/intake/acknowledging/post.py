"""Hands mails to a mail server: SMTP (RFC 5321) or LMTP (RFC 2033), with an empty reverse-path."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Self
from urllib.parse import unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465, "lmtp": 24}
SECONDS = 10.0
"""For each step of a conversation: connecting, a command, its answer."""
_KINDS: Mapping[str, Callable[..., smtplib.SMTP]] = {
    "smtp": smtplib.SMTP,
    "smtps": smtplib.SMTP_SSL,
    "lmtp": smtplib.LMTP,
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FOR_GOOD = range(500, 600)


class BadAddress(ValueError):
    """The mail server's address cannot be used; the text never quotes it."""


class PostAway(Exception):
    """The mail server is not there, or takes nothing from us: it is no single mail's fault."""


class Taken(StrEnum):
    """What the mail server said to one mail."""

    SENT = "sent"
    LATER = "later"
    """4xx: try again."""
    REFUSED = "refused"
    """5xx to its recipient or content: never try again (RFC 5321, section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class PostOffice:
    """`encrypted`: from the first byte with `smtps`, else after STARTTLS, without which we end."""

    scheme: str
    host: str
    port: int
    encrypted: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> Self:
        """`<smtp|smtps|lmtp>://[user:password@]host[:port][?tls=no]`; raises `BadAddress`.

        Beyond the machine itself everything is encrypted, unless `?tls=no` says that the network
        between is trusted. A password never goes out in clear, except to the machine itself.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise BadAddress("not an address") from None
        local = parts.hostname in _LOOPBACK
        in_clear = parts.query == "tls=no"
        if (
            parts.scheme not in PORTS
            or not parts.hostname
            or parts.path not in {"", "/"}
            or parts.fragment
            or (parts.query and not in_clear)
        ):
            raise BadAddress("not smtp://, smtps:// or lmtp:// with a host and a port")
        encrypted = parts.scheme == "smtps" or not (local or in_clear)
        if parts.username and not (local or encrypted):
            raise BadAddress("a password would go out in clear")
        return cls(
            parts.scheme,
            parts.hostname,
            port or PORTS[parts.scheme],
            encrypted,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )


class Post:
    """One mail at a time, each over a connection of its own, in a thread.

    `hostname` is the name we give ourselves; `tls` says whom to trust, by default the authorities
    that the system trusts.
    """

    def __init__(
        self,
        office: PostOffice,
        hostname: str,
        *,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._office, self._hostname, self._seconds = office, hostname, seconds
        self._tls = tls or ssl.create_default_context()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="post")

    async def send(self, to: str, raw: bytes) -> Taken:
        """Hand over one mail; raises `PostAway`.

        `to` must be an address that has been checked: it is written into a command.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._send, to, raw)

    def _send(self, to: str, raw: bytes) -> Taken:
        client = None
        try:
            client = self._connected()
            client.sendmail("", [to], raw)
        except smtplib.SMTPRecipientsRefused as error:
            return _taken(error.recipients[to][0])
        except smtplib.SMTPDataError as error:
            return _taken(error.smtp_code)
        except OSError as error:  # of the network, of TLS, and every other one of `smtplib`
            raise PostAway(type(error).__name__) from None
        finally:
            if client is not None:
                _leave(client)
        return Taken.SENT

    def _connected(self) -> smtplib.SMTP:
        office, kind = self._office, _KINDS[self._office.scheme]
        if kind is smtplib.SMTP_SSL:
            kind = partial(kind, context=self._tls)
        client = kind(
            office.host, office.port, local_hostname=self._hostname, timeout=self._seconds
        )
        try:
            if office.encrypted and office.scheme != "smtps":
                client.starttls(context=self._tls)
            if office.user:
                client.login(office.user, office.password)
        except BaseException:
            client.close()
            raise
        return client


def _taken(code: int) -> Taken:
    return Taken.REFUSED if code in _FOR_GOOD else Taken.LATER


def _leave(client: smtplib.SMTP) -> None:
    """What becomes of the farewell changes nothing of what was said before it."""
    with suppress(OSError):
        client.quit()
    client.close()
