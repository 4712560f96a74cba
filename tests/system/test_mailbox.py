"""Mailboxes on a real Dovecot: nothing is marked before it is kept, and nothing is lost."""

import asyncio
import imaplib
import os
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from re import sub

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.intake.sources.mailbox import (
    KEPT,
    TOO_LARGE,
    Bounds,
    Mailbox,
    Mailboxes,
    Pace,
    Patience,
)
from tests.dovecot import PASSWORD, mail, running_dovecot
from tests.fakes_mailbox import KEY, Keeper, Wire, eventually, now

AGENCY = "a-one"
QUICK = Pace(
    renew=20.0, first=0.05, longest=0.2, declined=0.2, patience=Patience(connect=5, silence=5)
)


@pytest.fixture(scope="module")
def server():
    with running_dovecot() as dovecot:
        yield dovecot


@pytest.fixture
def own_server():
    """A server that the test may stop."""
    with running_dovecot() as dovecot:
        yield dovecot


@pytest.fixture
def user(request):
    return "u" + sha256(request.node.name.encode()).hexdigest()[:12]


@pytest.fixture
def keeper():
    return Keeper()


def box(port, user, agency=AGENCY, **other):
    given = {"host": "127.0.0.1", "tls": False, "password": PASSWORD} | other
    return Mailbox(agency=agency, port=port, user=user, **given)


@asynccontextmanager
async def watching(keeper, *boxes, pace=QUICK, bounds=None, tls=None):
    mailboxes = Mailboxes(keeper, boxes, now, KEY, pace=pace, bounds=bounds, tls=tls)
    task = asyncio.create_task(mailboxes.run())
    try:
        yield mailboxes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def opened(port, user, folder="INBOX"):
    """The mailbox as somebody's mail program sees it."""
    client = await asyncio.to_thread(imaplib.IMAP4, "127.0.0.1", port)
    await asyncio.to_thread(client.login, user, PASSWORD)
    await asyncio.to_thread(client.select, folder)
    try:
        yield client
    finally:
        await asyncio.to_thread(client.logout)


async def found(port, user, criterion, folder="INBOX"):
    async with opened(port, user, folder) as client:
        _, [numbers] = await asyncio.to_thread(client.search, None, criterion)
        return len(numbers.split())


async def idle(mailboxes, kept):
    await eventually(
        lambda: all(s.connected and s.kept >= kept for s in mailboxes.state().values())
    )


def numbered(count, **other):
    return [mail(f"m{number}", **other) for number in range(count)]


class TestHandingOver:
    async def test_what_lay_there_is_handed_over_byte_for_byte(self, server, user, keeper):
        mails = numbered(3)
        server.deliver(user, *mails)

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 3)

        assert all(keeper.holds(one) for one in mails)
        assert sorted(keeper.kept.values()) == sorted(
            p.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            for p in server.files(user)
        )

    async def test_what_is_kept_is_marked(self, server, user, keeper):
        server.deliver(user, *numbered(2))

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 2)

        assert await found(server.imap, user, f"SEEN KEYWORD {KEPT.decode()}") == 2

    async def test_nothing_is_marked_before_it_is_kept(self, server, user, keeper):
        server.deliver(user, *numbered(2))
        keeper.gate.clear()

        async with watching(keeper, box(server.imap, user)):
            await eventually(lambda: len(keeper.offered) == 2)
            marked = await found(server.imap, user, f"OR SEEN KEYWORD {KEPT.decode()}")

        assert marked == 0

    async def test_what_is_not_answered_for_is_not_marked(self, server, user, keeper):
        server.deliver(user, *numbered(3))
        keeper.unanswered = b"<m1@example.test>"

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 2)

        assert await found(server.imap, user, f"UNKEYWORD {KEPT.decode()}") == 1

    async def test_a_mail_comes_as_the_contracts_event(self, server, user, keeper):
        server.deliver(user, mail("one"))

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 1)

        [arrival] = keeper.offered
        event = orjson.loads(arrival.body)
        assert (arrival.entrance, arrival.party, arrival.sequence) == ("imap", AGENCY, 0)
        assert event["type"] == arrival.type == "mailbox-message.arrived.v1"
        assert event["source"] == f"/agencies/{AGENCY}"
        assert now() - timedelta(minutes=2) < datetime.fromisoformat(event["time"]) <= now()

    async def test_a_new_mail_is_pushed(self, server, user, keeper):
        never = Pace(renew=3600.0)
        async with watching(keeper, box(server.imap, user), pace=never) as mailboxes:
            await idle(mailboxes, 0)
            await asyncio.to_thread(server.deliver, user, mail("pushed"))
            await eventually(lambda: keeper.holds(mail("pushed")))

    async def test_a_mail_that_somebody_read_first_is_taken(self, server, user, keeper):
        server.deliver(user, mail("read"))
        async with opened(server.imap, user) as client:
            client.store("1", "+FLAGS", r"(\Seen \Answered)")

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 1)

        assert keeper.holds(mail("read"))

    async def test_kept_mails_go_to_the_folder_of_done_ones(self, server, user, keeper):
        server.deliver(user, *numbered(2))

        async with watching(keeper, box(server.imap, user, done="Đã nhận & giữ")) as mailboxes:
            await idle(mailboxes, 2)

        assert await found(server.imap, user, "ALL") == 0
        assert await found(server.imap, user, "ALL", '"&ARAA4w- nh&Hq0-n &- gi&Hu8-"') == 2

    async def test_a_mail_in_a_batch_has_fifty_neighbours_at_most(self, server, user, keeper):
        server.deliver(user, *numbered(60))

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 60)

        assert keeper.largest_call == 50

    async def test_over_tls_only_with_a_certificate_that_is_trusted(self, keeper):
        certificate = self_signed()
        with running_dovecot(certificate) as server:
            server.deliver("tls", mail("tls"))
            secured = box(server.imaps, "tls", tls=True)
            async with watching(keeper, secured) as mailboxes:
                await eventually(lambda: mailboxes.state()["a-one-1"].trouble == "connection")
            assert not keeper.offered
            trusting = ssl.create_default_context(cadata=certificate.decode())
            async with watching(keeper, secured, tls=trusting):
                await eventually(lambda: keeper.holds(mail("tls")))


class TestTooLarge:
    async def test_it_is_left_unread_with_a_mark_of_its_own(self, server, user, keeper):
        server.deliver(user, mail("large", size=50_000), mail("small"))

        bounds = Bounds(largest=20_000)
        async with watching(keeper, box(server.imap, user), bounds=bounds) as mailboxes:
            await idle(mailboxes, 1)
            state = mailboxes.state()["a-one-1"]

        assert state.too_large == 1
        assert len(keeper.kept) == 1
        assert await found(server.imap, user, f"UNSEEN KEYWORD {TOO_LARGE.decode()}") == 1

    async def test_it_is_told_after_a_restart_too(self, server, user, keeper):
        server.deliver(user, mail("large", size=50_000))

        bounds = Bounds(largest=20_000)
        for _ in range(2):
            async with watching(keeper, box(server.imap, user), bounds=bounds) as mailboxes:
                await idle(mailboxes, 0)
                state = mailboxes.state()["a-one-1"]

        assert state.too_large == 1


class TestFaults:
    async def test_while_the_store_is_away_mails_wait(self, server, user, keeper):
        server.deliver(user, *numbered(3))
        keeper.away_for = 2

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 3)

        assert len(keeper.offered) == 9
        assert await found(server.imap, user, f"KEYWORD {KEPT.decode()}") == 3

    async def test_one_mail_that_cannot_be_taken_does_not_hold_the_others(
        self, server, user, keeper
    ):
        server.deliver(user, *numbered(10))
        keeper.poison = b"<m4@example.test>"

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 9)

        assert not keeper.holds(mail("m4"))
        assert await found(server.imap, user, f"UNKEYWORD {KEPT.decode()}") == 1

    async def test_it_is_offered_again_when_the_watch_is_renewed(self, server, user, keeper):
        server.deliver(user, *numbered(2))
        keeper.poison = b"<m1@example.test>"
        pace = Pace(renew=0.1)

        async with watching(keeper, box(server.imap, user), pace=pace) as mailboxes:
            await eventually(lambda: mailboxes.state()["a-one-1"].failing == 1)
            keeper.poison = b"\0"
            await idle(mailboxes, 2)

        assert mailboxes.state()["a-one-1"].failing == 0

    @pytest.mark.parametrize("cut", [40, 700, 30_000, 90_000])
    async def test_a_connection_that_is_cut_loses_nothing(self, server, user, keeper, cut):
        mails = numbered(6, size=20_000)
        server.deliver(user, *mails)

        async with Wire(server.imap, cut, cut) as wire:
            async with watching(keeper, box(wire.port, user)) as mailboxes:
                await idle(mailboxes, 6)
            assert wire.connections == 3

        assert all(keeper.holds(one) for one in mails)
        assert len(keeper.kept) == 6

    async def test_a_mail_at_which_the_connection_breaks_does_not_hold_the_others(
        self, server, user, keeper
    ):
        large = mail("large", size=500_000)
        server.deliver(user, large, *numbered(3))
        always = [100_000] * 50

        async with Wire(server.imap, *always) as wire, watching(keeper, box(wire.port, user)):
            await eventually(lambda: all(keeper.holds(one) for one in numbered(3)))

        assert not keeper.holds(large)

    async def test_a_server_that_is_started_again_is_watched_again(self, own_server, keeper):
        await asyncio.to_thread(own_server.deliver, "u", mail("before"))
        async with watching(keeper, box(own_server.imap, "u")) as mailboxes:
            await idle(mailboxes, 1)
            await asyncio.to_thread(own_server.stop)
            await eventually(lambda: mailboxes.state()["a-one-1"].trouble == "connection")
            await asyncio.to_thread(own_server.start)
            await asyncio.to_thread(own_server.deliver, "u", mail("after"))
            await eventually(lambda: keeper.holds(mail("after")))

        assert len(keeper.kept) == 2

    async def test_other_uids_lose_nothing_and_keep_nothing_twice(self, own_server, keeper):
        await asyncio.to_thread(own_server.deliver, "u", *numbered(3))
        async with watching(keeper, box(own_server.imap, "u")) as mailboxes:
            await idle(mailboxes, 3)
            await asyncio.to_thread(own_server.stop)
            own_server.forget_uids("u")
            await asyncio.to_thread(own_server.start)
            await asyncio.to_thread(own_server.deliver, "u", mail("m3"))
            await eventually(lambda: keeper.holds(mail("m3")))

        assert all(keeper.holds(one) for one in numbered(4))
        assert len(keeper.kept) == 4

    async def test_a_mail_that_somebody_takes_out_meanwhile_does_not_hold_the_others(
        self, server, user, keeper
    ):
        server.deliver(user, *numbered(4, size=300_000))
        async with Wire(server.imap) as wire, watching(keeper, box(wire.port, user)) as mailboxes:
            await eventually(lambda: wire.connections == 1)
            for path in server.files(user)[-1:]:
                path.unlink(missing_ok=True)
            await eventually(lambda: len(keeper.kept) >= 3)
            await idle(mailboxes, 3)

        assert len(keeper.kept) in (3, 4)

    async def test_cancelled_while_keeping_everything_is_offered_again(self, server, user, keeper):
        server.deliver(user, *numbered(2))
        keeper.gate.clear()
        async with watching(keeper, box(server.imap, user)):
            await eventually(lambda: len(keeper.offered) == 2)
        keeper.gate.set()

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 2)

        assert len(keeper.kept) == 2

    async def test_mails_of_the_same_bytes_are_one(self, server, user, keeper):
        server.deliver(user, mail("twice"))
        async with opened(server.imap, user) as client:
            client.copy("1", "INBOX")

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 2)

        assert len(keeper.offered) == 2
        assert len(keeper.kept) == 1

    async def test_mails_that_are_delivered_twice_lose_nothing(self, server, user, keeper):
        server.deliver(user, *numbered(5), *numbered(5))

        async with watching(keeper, box(server.imap, user)) as mailboxes:
            await idle(mailboxes, 10)

        assert all(keeper.holds(one) for one in numbered(5))

    async def test_a_wrong_password_is_told_and_holds_no_other_mailbox(self, server, user, keeper):
        server.deliver(user, mail("one"))
        wrong = box(server.imap, user, "a-two", password="wrong")

        async with watching(keeper, wrong, box(server.imap, user)) as mailboxes:
            await eventually(lambda: keeper.holds(mail("one"), AGENCY))
            await eventually(lambda: mailboxes.state()["a-two-1"].trouble == "login")

    async def test_no_log_names_a_mailbox_or_a_password(self, own_server, keeper, capsys, caplog):
        caplog.set_level("DEBUG")
        wrong = box(own_server.imap, "an@example.test", password="swordfish")
        gone = box(own_server.lmtp, "an@example.test", "a-two")
        async with watching(keeper, wrong, gone) as mailboxes:
            await eventually(lambda: all(s.trouble for s in mailboxes.state().values()))

        said = capsys.readouterr().out + caplog.text + repr(wrong)
        assert not any(word in said for word in ("example.test", "swordfish"))
        assert "a-two-1" in said


async def test_two_hundred_mailboxes_are_watched_in_one_process(own_server, keeper):
    boxes = [box(own_server.imap, f"u{n}", f"a-{n}") for n in range(200)]
    async with watching(keeper, *boxes, pace=Pace(renew=3600.0)) as mailboxes:
        await idle(mailboxes, 0)
        for n in range(200):
            await asyncio.to_thread(own_server.deliver, f"u{n}", mail(f"to-{n}"))
        await eventually(lambda: len(keeper.kept) == 200, within=60)

    assert all(keeper.holds(mail(f"to-{n}"), f"a-{n}") for n in range(200))


@pytest.fixture
def corpus():
    """Real mails; with line ends as they travel, and one at the end."""
    folder = os.environ.get("LANGNGHE_CORPUS", "")
    if not folder:
        pytest.skip("LANGNGHE_CORPUS names no folder")
    paths = sorted(p for p in Path(folder).rglob("*.eml") if p.is_file())
    return [sub(rb"\r\n|\r|\n", b"\r\n", p.read_bytes()).rstrip(b"\r\n") + b"\r\n" for p in paths]


@pytest.mark.corpus
async def test_every_mail_of_the_corpus_comes_out_as_it_went_in(own_server, keeper, corpus):
    await asyncio.to_thread(own_server.deliver, "corpus", *corpus)
    delivered = len(own_server.files("corpus"))

    async with watching(keeper, box(own_server.imap, "corpus")) as mailboxes:
        await idle(mailboxes, delivered)

    print(len(corpus), "sent", delivered, "delivered", len(keeper.kept), "kept")
    assert len(keeper.kept) == delivered == len(corpus) >= 580
    assert [raw[:200] for raw in corpus if not keeper.holds(raw)] == []


def self_signed():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.test")])
    at = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem) + key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
