"""Webhooks reach public hosts and nothing else: counted where connections are made."""

import asyncio
import ssl
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import httpcore
import pytest

from services.reporting.push.reach import Caller, Refused, Unreached, checked, is_public
from services.reporting.push.signing import signed

PUBLIC = "93.184.215.14"
HOSTS = (
    *("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "0.0.0.0", "0"),
    *("2130706433", "0x7f000001", "017700000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1"),
    *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1%25eth0]"),
    *("[fc00::1]", "[ff02::1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[::]", "localhost"),
    *("a.localhost", "mongo.internal", "nats", "printer.local", "1.in-addr.arpa", "127.0.0.1."),
    *("user@hooks.example.org", "u:p@hooks.example.org", "hooks.example.org@127.0.0.1"),
    *("hooks.example.org:80", "hooks.example.org:22", "hooks.example.org:", "hooks.example.org:x"),
    *("hooks.example.org#@127.0.0.1", "hooks.example.org\\@127.0.0.1", "１２７.0.0.1", "a..b.org"),
    *("hooks.example.org\r\nHost: x", "127.0.0.1\t", "", "ⓛocalhost", "127。0。0。1", "-a.org"),
)
OTHERS = ("http://hooks.example.org/", "file:///etc/passwd", "gopher://x.org/", "//hooks.org/")
ADDRESSES = (
    *("127.0.0.1", "127.9.9.9", "10.1.2.3", "172.31.0.1", "192.168.0.1", "169.254.169.254"),
    *("0.0.0.0", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
    *("::1", "::", "::ffff:93.184.215.14", "::ffff:127.0.0.1", "::127.0.0.1", "fe80::1"),
    *("fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2002:7f00:1::", "64:ff9b::7f00:1"),
    *("64:ff9b:1::1", "2001::1", "2001:db8::1", "2a00::5efe:7f00:1", "2a00::1%1", "x", ""),
)
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Net(httpcore.AsyncMockBackend):
    """Names resolve to what a test says, in turn; every connection is counted."""

    def __init__(self, *resolved, answer=ANSWER):
        super().__init__([answer])
        self.resolved, self.asked, self.connected = list(resolved), [], []

    async def resolve(self, host):
        self.asked.append(host)
        return self.resolved.pop(0)

    async def connect_tcp(self, host, port, *more, **named):
        self.connected.append((host, port))
        return await super().connect_tcp(host, port, *more, **named)

    async def post(self, url="https://hooks.example.org/in"):
        caller = Caller(self.resolve, self, ssl.create_default_context())
        return await caller.post(url, [("Content-Type", "text/plain")], b"x")


URLS = (*(f"https://{host}/in" for host in HOSTS), *OTHERS)


@pytest.mark.parametrize("url", URLS)
async def test_an_address_that_is_refused_is_neither_resolved_nor_called(url):
    net = Net([PUBLIC])

    with pytest.raises(Refused):
        await net.post(url)
    assert (net.asked, net.connected) == ([], [])


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_name_that_leads_inside_is_never_called(address):
    assert not is_public(address)
    for found in ([address], [PUBLIC, address]):
        net = Net(found)
        with pytest.raises(Refused):
            await net.post()
        assert net.connected == []


async def test_the_connection_goes_to_the_address_that_was_looked_at():
    net = Net([PUBLIC], ["127.0.0.1"])

    assert await net.post() == 204
    assert (net.asked, net.connected) == (["hooks.example.org"], [(PUBLIC, 443)])
    with pytest.raises(Refused):  # the name was bound anew
        await net.post()
    assert net.connected == [(PUBLIC, 443)]


async def test_a_redirect_is_an_answer_and_is_not_followed():
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    net = Net([PUBLIC], answer=moved)

    assert await net.post() == 302
    assert len(net.connected) == 1


async def test_what_does_not_speak_http_is_not_reached():
    with pytest.raises(Unreached):
        await Net([PUBLIC], answer=b"SSH-2.0-x\r\n\r\n").post()


def test_the_signature_is_that_of_the_standard():
    """The published example of Standard Webhooks' libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = dict(signed([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}'))

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert b64encode(secret).decode() not in str(headers)


@pytest.mark.parametrize("user", ["user@", "u:p@"])
def test_a_user_in_an_address_is_refused_as_such(user):
    with pytest.raises(Refused, match="without a user"):
        checked(f"https://{user}hooks.example.org/in")


class Slow(Net):
    """Never answers to the end."""

    async def connect_tcp(self, host, port, *more, **named):
        self.connected.append((host, port))
        await asyncio.Event().wait()


async def test_who_answers_for_ever_is_left_after_a_while():
    net = Slow([PUBLIC])
    caller = Caller(net.resolve, net, ssl.create_default_context(), in_all_seconds=0.05)

    with pytest.raises(Unreached):
        await caller.post("https://hooks.example.org/in", [], b"x")


class Broken(Net):
    """Some addresses cannot be reached from here."""

    def __init__(self, *resolved, away):
        super().__init__(*resolved)
        self.away = away

    async def connect_tcp(self, host, port, *more, **named):
        if host in self.away:
            self.connected.append((host, port))
            raise httpcore.ConnectError
        return await super().connect_tcp(host, port, *more, **named)


SIX = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


async def test_another_checked_address_of_the_same_answer_is_tried():
    net = Broken([SIX, PUBLIC], away=[SIX])

    assert await net.post() == 204
    assert [host for host, _ in net.connected] == [SIX, PUBLIC]
    assert len(net.asked) == 1


async def test_of_many_addresses_few_are_tried():
    net = Broken([SIX] * 9, away=[SIX])

    with pytest.raises(Unreached):
        await net.post()
    assert len(net.connected) == 3
