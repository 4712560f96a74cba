"""What keeps the HTTP entrance standing: credentials on file, pace, and room for bodies."""

import asyncio
from base64 import b64encode

import pytest
from starlette.requests import Request

from services.intake.sources.http import Credentials, CredentialsBroken
from services.intake.sources.http.pace import (
    BURST,
    FORGOTTEN_AFTER,
    MOST_CLIENTS,
    MOST_SECONDS,
    SECONDS_EACH,
    Pace,
)
from shared.runtime.http.body import SMALL, Bodies
from shared.runtime.http.problem import Problem
from tests.fakes_http import SECRETS, TOKENS, entry, piece, write_credentials


class TestCredentials:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "agencies.json"
        write_credentials(path, a017=entry("a017"), a018=entry("a018"))
        return path

    def test_a_token_tells_its_agency(self, path):
        credentials = Credentials(path)

        assert [credentials.party_of(TOKENS[a]) for a in ("a017", "a018")] == ["a017", "a018"]

    @pytest.mark.parametrize(
        "token", ["", "wrong", "a017", entry("a017")["token_sha256"], "\udc80"]
    )
    def test_another_token_is_nobodys(self, path, token):
        assert Credentials(path).party_of(token) is None

    def test_an_agency_without_a_token_is_not_who_sends_none(self, path):
        write_credentials(path, a017={})

        assert Credentials(path).party_of("") is None

    @pytest.mark.parametrize("prefix", ["", "whsec_"])
    def test_a_secret_is_read_as_standard_webhooks_writes_it(self, path, prefix):
        secret = prefix + b64encode(SECRETS["a017"]).decode()
        write_credentials(path, a017={"webhook_secret": secret})

        assert Credentials(path).secret_of("a017") == SECRETS["a017"]

    def test_without_a_file_nobody_has_a_credential(self, tmp_path):
        credentials = Credentials(tmp_path / "agencies.json")

        assert credentials.party_of(TOKENS["a017"]) is None
        assert credentials.secret_of("a017") is None

    def test_a_changed_file_holds_at_once(self, path):
        credentials = Credentials(path)
        write_credentials(path, a017=entry("a017"))

        assert credentials.party_of(TOKENS["a018"]) is None

    def test_a_removed_file_takes_every_credential(self, path):
        credentials = Credentials(path)
        path.unlink()

        assert credentials.party_of(TOKENS["a017"]) is None

    def test_a_file_that_breaks_while_running_leaves_the_last_good_one(self, path, capsys):
        credentials = Credentials(path)
        path.write_text('{"a017": {"token_sha256": "secret-canary"}}')

        assert credentials.party_of(TOKENS["a017"]) == "a017"
        assert "canary" not in "".join(capsys.readouterr())

    @pytest.mark.parametrize(
        "content",
        [
            {"a017": {"token": "secret-canary"}},
            {"a017": {"token_sha256": "secret-canary"}},
            {"a017": {"webhook_secret": b64encode(b"short").decode()}},
            {"An Thái": {}},
            {"a017": entry("a017"), "a018": entry("a017")},
            {"a017": "secret-canary"},
        ],
        ids=str,
    )
    def test_a_broken_file_stops_the_start_and_is_not_quoted(self, path, content):
        write_credentials(path, **content)

        with pytest.raises(CredentialsBroken) as broken:
            Credentials(path)

        assert "canary" not in str(broken.value)


class Clock:
    at = 0.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock)


def send(pace, address, times):
    return [pace.delay(address) for _ in range(times)]


class TestPace:
    def test_a_few_sendings_are_not_slowed_down(self, pace):
        assert send(pace, "198.51.100.7", BURST) == [0.0] * BURST

    def test_more_wait_longer_and_longer_up_to_the_bound(self, pace):
        send(pace, "198.51.100.7", BURST)

        waits = send(pace, "198.51.100.7", 100)

        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (SECONDS_EACH, MOST_SECONDS)

    def test_nobody_waits_for_another(self, pace):
        send(pace, "198.51.100.7", 100)

        assert pace.delay("198.51.100.8") == 0.0

    def test_who_waits_is_free_again(self, pace, clock):
        send(pace, "198.51.100.7", 100)
        clock.at = MOST_SECONDS + 2 * SECONDS_EACH

        assert pace.delay("198.51.100.7") == 0.0

    def test_one_ipv6_network_is_one_client(self, pace):
        for number in range(BURST):
            pace.delay(f"2001:db8:1:2::{number:x}")

        assert pace.delay("2001:db8:1:2:ffff::1") > 0
        assert pace.delay("2001:db8:1:3::1") == 0

    def test_an_ipv4_address_written_as_ipv6_is_the_same_client(self, pace):
        send(pace, "198.51.100.7", BURST)

        assert pace.delay("::ffff:198.51.100.7") > 0
        assert pace.delay("::ffff:198.51.100.8") == 0

    @pytest.mark.parametrize("address", ["", "unix:", "fe80::1%eth0"])
    def test_whatever_an_address_is_it_has_a_pace(self, pace, address):
        send(pace, address, BURST)

        assert pace.delay(address) > 0

    def test_a_client_is_forgotten_after_minutes(self, pace, clock):
        pace.delay("198.51.100.7")
        clock.at = FORGOTTEN_AFTER
        pace.delay("198.51.100.8")

        assert pace.clients == 1

    def test_clients_are_remembered_up_to_a_bound(self, pace):
        for number in range(MOST_CLIENTS + 10):
            pace.delay(f"2001:db8:{number:x}::")

        assert pace.clients == MOST_CLIENTS

    def test_no_address_is_kept(self, pace):
        pace.delay("198.51.100.7")

        kept = repr(vars(pace)).encode()
        assert b"198.51.100.7" not in kept
        assert bytes([198, 51, 100, 7]) not in b"".join(pace._buckets)


def request(*messages, length=None):
    waiting = list(messages)

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    headers = [] if length is None else [(b"content-length", str(length).encode("latin-1"))]
    return Request({"type": "http", "headers": headers}, receive)


LARGE = SMALL + 1


class TestBodies:
    async def test_a_body_that_never_ends_is_given_up(self):
        bodies = Bodies(seconds=0.01)

        async with asyncio.timeout(2):
            with pytest.raises(Problem) as refused:
                await bodies.read(request(piece(b"half", more=True)), 100)

        assert refused.value.status == 408

    async def test_a_large_body_waits_for_room(self):
        bodies = Bodies(budget=LARGE)
        async with bodies.room(request(length=LARGE), LARGE):
            waiting = asyncio.create_task(bodies.room(request(length=LARGE), LARGE).__aenter__())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not waiting.done()

        async with asyncio.timeout(2):
            await waiting

    async def test_two_that_fit_wait_for_none(self):
        bodies = Bodies(budget=2 * LARGE, patience=0.01)

        first = bodies.room(request(length=LARGE), 9 * LARGE)
        async with first, bodies.room(request(length=LARGE), 9 * LARGE):
            pass

    @pytest.mark.parametrize("length", [None, "²"])
    async def test_one_of_unknown_length_is_counted_as_the_longest(self, length):
        bodies = Bodies(budget=3 * LARGE, patience=0.01)
        async with bodies.room(request(length=LARGE), 3 * LARGE):
            with pytest.raises(Problem):
                await bodies.room(request(length=length), 3 * LARGE).__aenter__()

    async def test_a_large_body_that_finds_no_room_is_told_later(self):
        bodies = Bodies(budget=LARGE, patience=0.01)
        async with bodies.room(request(length=LARGE), LARGE):
            with pytest.raises(Problem) as refused:
                await bodies.room(request(length=LARGE), LARGE).__aenter__()

        assert refused.value.status == 503

    async def test_a_small_body_waits_for_none(self):
        bodies = Bodies(budget=LARGE, patience=0.01)

        first = bodies.room(request(length=LARGE), LARGE)
        async with first, bodies.room(request(length=SMALL), LARGE):
            pass

    async def test_one_larger_than_all_room_is_read_alone(self):
        bodies = Bodies(budget=LARGE, patience=0.01)

        async with bodies.room(request(length=9 * LARGE), 9 * LARGE):
            pass

    async def test_room_is_free_again_after_an_error(self):
        bodies = Bodies(budget=LARGE, patience=0.01)
        with pytest.raises(ValueError):
            async with bodies.room(request(length=LARGE), LARGE):
                raise ValueError

        async with bodies.room(request(length=LARGE), LARGE):
            pass
