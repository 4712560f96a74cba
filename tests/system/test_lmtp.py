"""Mail pushed by a mail server: "250" only when it is kept, and one answer for each recipient."""

import asyncio
import os
import smtplib
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from re import sub

import orjson
import pytest

from services.intake.sources.lmtp import Limits, Lmtp
from tests.dovecot import mail
from tests.fakes_mailbox import KEY, Keeper, eventually, now

AGENCIES = {"one@example.test": "a-one", "two@example.test": "a-two", "một@example.test": "a-one"}
SMALL = Limits(mail=10_000, line=500, silence=5.0, mail_seconds=10.0)


@pytest.fixture
def keeper():
    return Keeper()


@asynccontextmanager
async def listening(keeper, limits=SMALL, agency_of=AGENCIES.get):
    lmtp = Lmtp(keeper, agency_of, now, KEY, hostname="intake.example.test", limits=limits)
    await lmtp.start()
    try:
        yield lmtp
    finally:
        await lmtp.stop()


class Sender:
    """A mail server that says exactly what it is told to say."""

    def __init__(self, port):
        self._port = port

    async def __aenter__(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.greeting = await self.hears()
        return self

    async def __aexit__(self, *_):
        self._writer.close()

    async def hears(self):
        async with asyncio.timeout(10):
            lines = []
            while not lines or lines[-1][3:4] == "-":
                lines.append((await self._reader.readline()).decode().strip())
            return "\n".join(lines)

    async def says(self, *lines):
        """Each line in turn; answers the last answer."""
        for line in lines:
            self._writer.write(line if isinstance(line, bytes) else line.encode() + b"\r\n")
            heard = await self.hears()
        return heard

    async def sends(self, raw, answers=1):
        """After DATA; one answer for each recipient."""
        first = await self.says(raw + b".\r\n")
        return [first, *[await self.hears() for _ in range(answers - 1)]]

    async def begins(self, *recipients):
        await self.says("LHLO mx.example.test", "MAIL FROM:<an@example.test>")
        return [await self.says(f"RCPT TO:<{r}>") for r in recipients]

    def cut(self):
        self._writer.transport.abort()


def bodies(keeper):
    """What was kept, without the line that tells who sent it."""
    return [sub(rb"\AReturn-Path:.*\r\n", b"", raw) for raw in keeper.kept.values()]


class TestAnswers:
    async def test_an_ordinary_client_delivers(self, keeper):
        def deliver(port):
            with smtplib.LMTP("127.0.0.1", port) as client:
                client.sendmail("an@example.test", ["one@example.test"], mail("one"))

        async with listening(keeper) as lmtp:
            await asyncio.to_thread(deliver, lmtp.port)

        [arrival] = keeper.offered
        assert bodies(keeper) == [mail("one")]
        assert (arrival.entrance, arrival.party) == ("lmtp", "a-one")
        assert orjson.loads(arrival.body)["source"] == "/agencies/a-one"

    async def test_250_is_said_only_when_it_is_kept(self, keeper):
        keeper.gate.clear()
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test")
            await sender.says("DATA")
            answer = asyncio.create_task(sender.sends(mail("one")))
            await eventually(lambda: bool(keeper.offered))
            await asyncio.sleep(0.05)
            said_before = answer.done()
            keeper.gate.set()
            [said] = await answer

        assert not said_before
        assert said.startswith("250 2.0.0")

    async def test_while_the_store_is_away_the_sender_is_told_to_come_again(self, keeper):
        keeper.away_for = 1
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            answers = []
            for _ in range(2):
                await sender.begins("one@example.test")
                await sender.says("DATA")
                answers += await sender.sends(mail("one"))

        assert [answer[:9] for answer in answers] == ["451 4.3.0", "250 2.0.0"]
        assert len(keeper.kept) == 1

    async def test_what_is_not_answered_for_comes_again(self, keeper):
        keeper.unanswered = b"one"
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test")
            await sender.says("DATA")
            [answer] = await sender.sends(mail("one"))

        assert answer.startswith("451 4.3.0")

    async def test_a_mail_that_cannot_be_taken_is_not_bounced(self, keeper):
        keeper.poison = b"poison"
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test")
            await sender.says("DATA")
            [answer] = await sender.sends(mail("poison"))

        assert answer.startswith("451 4.3.0")

    async def test_each_recipient_has_an_answer_of_its_own(self, keeper):
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            told = await sender.begins(
                "one@example.test", "nobody@example.test", "two@example.test"
            )
            await sender.says("DATA")
            answers = await sender.sends(mail("both"), answers=2)
            after = await sender.says("NOOP")

        assert [t[:9] for t in told] == ["250 2.1.5", "550 5.1.1", "250 2.1.5"]
        assert [a[:3] for a in (*answers, after)] == ["250", "250", "250"]
        assert {agency for agency, _ in keeper.kept} == {"a-one", "a-two"}

    async def test_one_agency_under_two_addresses_gets_a_mail_once(self, keeper):
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test", "một@example.test")
            await sender.says("DATA")
            answers = await sender.sends(mail("both"), answers=2)

        assert [a[:3] for a in answers] == ["250", "250"]
        assert len(keeper.offered) == 1

    async def test_what_is_too_large_is_refused_for_each_recipient(self, keeper):
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test", "two@example.test")
            await sender.says("DATA")
            answers = await sender.sends(mail("large", size=50_000), answers=2)
            after = await sender.says("NOOP")

        assert [a[:9] for a in (*answers, after)] == ["552 5.3.4", "552 5.3.4", "250 2.0.0"]
        assert not keeper.offered

    async def test_what_says_that_it_is_too_large_is_refused_at_once(self, keeper):
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            greeting = await sender.says("LHLO mx.example.test")
            said = await sender.says("MAIL FROM:<an@example.test> SIZE=10001 BODY=8BITMIME")

        assert "250-SIZE 10000" in greeting.splitlines()
        assert said.startswith("552 5.3.4")

    async def test_a_bounce_has_no_sender(self, keeper):
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.says(
                "LHLO mx", "MAIL FROM:<> SMTPUTF8", "RCPT TO:<one@example.test>", "DATA"
            )
            await sender.sends(mail("bounce"))

        assert list(keeper.kept.values()) == [b"Return-Path: <>\r\n" + mail("bounce")]

    async def test_a_directory_that_fails_bounces_nothing(self, keeper):
        def no_directory(_address):
            raise LookupError

        async with (
            listening(keeper, agency_of=no_directory) as lmtp,
            Sender(lmtp.port) as sender,
        ):
            [told] = await sender.begins("one@example.test")

        assert told.startswith("451 4.3.0")

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("EHLO mx", "500"),
            ("VRFY one", "502"),
            ("EXPN all", "502"),
            ("RCPT TO:<one@example.test>", "503"),
            ("DATA", "503"),
            ("MAIL FROM:an@example.test", "503"),
            (b"MAIL FROM:<a@b>\nRCPT TO:<one@example.test>\r\n", "500"),
            (b"NOOP \xff\r\n", "500"),
            ("NOOP " + "x" * 600, "500"),
        ],
    )
    async def test_what_is_no_command_here_is_told_so(self, keeper, line, code):
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            said = await sender.says(line)

        assert said.startswith(code)

    async def test_one_connection_too_many_is_told_to_come_again(self, keeper):
        async with (
            listening(keeper, Limits(connections=1)) as lmtp,
            Sender(lmtp.port),
            Sender(lmtp.port) as second,
        ):
            said = second.greeting

        assert said.startswith("421 4.3.2")

    async def test_a_silent_sender_is_left(self, keeper):
        async with listening(keeper, Limits(silence=0.05)) as lmtp, Sender(lmtp.port) as sender:
            assert await sender._reader.read() == b""


class TestWhatIsInAMail:
    @pytest.mark.parametrize(
        "end",
        [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n"],
        ids=["lf-lf", "lf-crlf", "cr-cr", "crlf-lf", "crlf-cr", "cr-crlf"],
    )
    async def test_no_mail_hides_another_one(self, keeper, end):
        hidden = b"MAIL FROM:<x@y>\r\nRCPT TO:<two@example.test>\r\nDATA\r\nSubject: hidden\r\n\r\n"
        raw = b"Subject: seen\r\n\r\ntext" + end + hidden
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test")
            await sender.says("DATA")
            answers = await sender.sends(raw)

        assert len(answers) == 1
        assert {agency for agency, _ in keeper.kept} == {"a-one"}
        assert b"Subject: hidden" in bodies(keeper)[0]

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            (b"", b""),
            (b"\r\n", b"\r\n"),
            (b"..\r\n...\r\n a.\r\n..b\r\n", b".\r\n..\r\n a.\r\n.b\r\n"),
            (b"x" * 9000 + b"\r\n", b"x" * 9000 + b"\r\n"),
            (b"\xff\x00\r\n\r\n\n\r", b"\xff\x00\r\n\r\n\n\r"),
        ],
        ids=["empty", "blank", "dots", "long-line", "bytes"],
    )
    async def test_it_is_kept_as_it_was_meant(self, keeper, sent, kept):
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test")
            await sender.says("DATA")
            await sender.sends(sent if sent.endswith(b"\r\n") or not sent else sent + b"\r\n")

        assert [body.removesuffix(b"\r\n") for body in bodies(keeper)] == [
            kept.removesuffix(b"\r\n")
        ]

    async def test_commands_may_come_in_one_breath(self, keeper):
        breath = (
            b"LHLO mx\r\nMAIL FROM:<a@b>\r\nRCPT TO:<one@example.test>\r\nDATA\r\n"
            b"Subject: x\r\n\r\n.\r\nNOOP\r\nQUIT\r\n"
        )
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            said = [await sender.says(breath), *[await sender.hears() for _ in range(6)]]

        assert [line[:3] for line in said] == ["250", "250", "250", "354", "250", "250", "221"]


class TestFaults:
    async def test_cut_before_the_answer_the_same_mail_comes_again_as_the_same(self, keeper):
        keeper.gate.clear()
        async with listening(keeper) as lmtp:
            async with Sender(lmtp.port) as sender:
                await sender.begins("one@example.test")
                await sender.says("DATA")
                sending = asyncio.create_task(sender.sends(mail("one")))
                await eventually(lambda: bool(keeper.offered))
                sender.cut()
                keeper.gate.set()
                await asyncio.gather(sending, return_exceptions=True)
            async with Sender(lmtp.port) as sender:
                await sender.begins("one@example.test")
                await sender.says("DATA")
                [answer] = await sender.sends(mail("one"))

        first, second = (orjson.loads(arrival.body)["id"] for arrival in keeper.offered)
        assert answer.startswith("250")
        assert first == second
        assert len(keeper.kept) == 1

    async def test_a_mail_that_is_cut_in_the_middle_is_not_taken(self, keeper):
        async with listening(keeper) as lmtp:
            async with Sender(lmtp.port) as sender:
                await sender.begins("one@example.test")
                await sender.says("DATA")
                sender._writer.write(mail("half")[:-20])
                await sender._writer.drain()
                sender.cut()
            await eventually(lambda: not lmtp._sessions)

        assert not keeper.offered

    async def test_a_stop_in_the_middle_leaves_nobody_behind(self, keeper):
        keeper.gate.clear()
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test")
            await sender.says("DATA")
            sender._writer.write(mail("one") + b".\r\n")
            await eventually(lambda: bool(keeper.offered))
            await asyncio.wait_for(lmtp.stop(), 5)

            assert await sender._reader.read() == b""

    async def test_no_log_names_a_person(self, keeper, capsys, caplog):
        caplog.set_level("DEBUG")
        keeper.poison = b"one"
        async with listening(keeper) as lmtp, Sender(lmtp.port) as sender:
            await sender.begins("one@example.test", "nobody@example.test")
            await sender.says("DATA")
            await sender.sends(mail("one"))
            sender.cut()

        said = capsys.readouterr().out + caplog.text
        assert "not taken" in said
        assert not any(word in said for word in ("example.test", "127.0.0.1"))


@pytest.mark.corpus
async def test_every_mail_of_the_corpus_is_taken_byte_for_byte(keeper):
    folder = os.environ.get("LANGNGHE_CORPUS", "")
    if not folder:
        pytest.skip("LANGNGHE_CORPUS names no folder")
    paths = await asyncio.to_thread(lambda: sorted(Path(folder).rglob("*.eml")))
    raws = [sub(rb"\r\n|\r|\n", b"\r\n", p.read_bytes()).rstrip(b"\r\n") + b"\r\n" for p in paths]

    def deliver(port):
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for raw in raws:
                client.sendmail("an@example.test", ["one@example.test"], raw)

    async with listening(keeper, Limits()) as lmtp:
        await asyncio.to_thread(deliver, lmtp.port)

    assert len(raws) >= 580
    assert sorted(bodies(keeper)) == sorted(set(raws))
