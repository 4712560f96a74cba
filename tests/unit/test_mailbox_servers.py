"""Servers of other kinds than Dovecot: without keywords, without IDLE, and ones that misbehave."""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

from services.intake.sources.arriving_mail import Room
from services.intake.sources.mailbox import (
    Bounds,
    Mailbox,
    Mailboxes,
    Pace,
    Patience,
    read_mailboxes,
)
from tests.fakes_mailbox import KEY, Keeper, eventually, now

QUICK = Pace(renew=0.05, poll=0.02, first=0.01, longest=0.02, patience=Patience(2, 1, 3))


class Server:
    """As much of an IMAP server as the watch asks for."""

    def __init__(self, *mails, capabilities="IDLE", flags=r"\Seen \*"):
        self.mails = dict(enumerate(mails, 1))
        self.marks = {}
        self.capabilities, self.flags = capabilities, flags
        self.said_size = {}
        self.answers = {}
        """By beginning of a command: what is said instead of the answer, `None`: hang up."""
        self.commands = []
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, _, command = line.decode().strip().partition(" ")
            self.commands.append(command)
            instead = next((a for c, a in self.answers.items() if command.startswith(c)), "")
            if instead is None:
                break
            writer.write(instead.format(tag=tag).encode() if instead else self.answer(tag, command))
            if command == "IDLE":
                await reader.readline()
                writer.write(f"{tag} OK\r\n".encode())
        writer.close()

    def answer(self, tag, command):
        said = b""
        if command == "CAPABILITY":
            said = f"* CAPABILITY IMAP4rev1 {self.capabilities}\r\n".encode()
        elif command.startswith("SELECT"):
            said = f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [PERMANENTFLAGS ({self.flags})]\r\n".encode()
        elif command.startswith("UID SEARCH KEYWORD"):
            said = b"* SEARCH\r\n"
        elif command.startswith("UID SEARCH"):
            said = f"* SEARCH {' '.join(str(u) for u in self.mails if 'UNKEY' not in command or u not in self.marks)}\r\n".encode()
        elif found := re.match(r"UID FETCH (\S+) \(UID (\S+)", command):
            said = b"".join(self.fetch(u, found[2]) for u in uids(found[1]) if u in self.mails)
        elif found := re.match(r"UID STORE (\S+) (.+)", command):
            self.marks |= dict.fromkeys(uids(found[1]), found[2])
        elif command == "IDLE":
            return b"+ idling\r\n"
        return said + f"{tag} OK done\r\n".encode()

    def fetch(self, uid, what):
        raw = self.mails[uid]
        if what.startswith("BODY"):
            return b"* 1 FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (uid, len(raw), raw)
        size = self.said_size.get(uid, len(raw))
        return (
            b'* 1 FETCH (UID %d RFC822.SIZE %d INTERNALDATE "02-Mar-2026 09:15:00 +0700")\r\n'
            % (uid, size)
        )


def uids(text):
    for part in text.split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)


@asynccontextmanager
async def watching(server, keeper, **given):
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    box = Mailbox(agency="a-one", host="127.0.0.1", port=port, tls=False, user="u", password="p")
    mailboxes = Mailboxes(keeper, [box], now, KEY, **{"pace": QUICK} | given)
    task = asyncio.create_task(mailboxes.run())
    try:
        yield lambda: mailboxes.state()["a-one-1"]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        listening.close()


async def renewed(server, times=3):
    """Until the mailbox was looked through some more times."""
    swept = len([c for c in server.commands if c.startswith("UID SEARCH")])
    await eventually(
        lambda: len([c for c in server.commands if c.startswith("UID SEARCH")]) >= swept + 2 * times
    )


async def test_without_keywords_a_mail_is_offered_once_a_process():
    server, keeper = Server(b"one", b"two", flags=r"\Seen"), Keeper()

    async with watching(server, keeper) as state:
        await eventually(lambda: state().kept == 2)
        await renewed(server)

    assert len(keeper.offered) == 2
    assert server.marks == dict.fromkeys((1, 2), r"+FLAGS.SILENT (\Seen)")


async def test_without_keywords_another_mail_under_a_known_uid_is_taken():
    server, keeper = Server(b"one", flags=""), Keeper()

    async with watching(server, keeper) as state:
        await eventually(lambda: state().kept == 1)
        server.mails[1] = b"another"
        server.answers["UID SEARCH"] = None
        await eventually(lambda: server.connections > 1)
        server.answers.clear()
        await eventually(lambda: state().kept == 2)

    assert set(keeper.kept.values()) == {b"one", b"another"}


async def test_without_keywords_a_new_process_offers_all_again_to_no_harm():
    server, keeper = Server(b"one", flags=""), Keeper()

    for _ in range(2):
        async with watching(server, keeper) as state:
            await eventually(lambda state=state: state().kept == 1)

    assert len(keeper.offered) == 2
    assert len(keeper.kept) == 1


async def test_without_idle_the_server_is_asked():
    server, keeper = Server(capabilities=""), Keeper()
    pace = Pace(renew=3600.0, poll=0.01)

    async with watching(server, keeper, pace=pace) as state:
        await eventually(lambda: state().connected)
        server.mails[1] = b"new"
        server.answers["NOOP"] = "* 1 EXISTS\r\n{tag} OK\r\n"
        await eventually(lambda: state().kept == 1)


async def test_a_mail_that_is_larger_than_the_server_told_is_passed_over():
    server, keeper = Server(b"x" * 5000, b"small"), Keeper()
    server.said_size[1] = 10

    async with watching(server, keeper, bounds=Bounds(largest=1000)) as state:
        await eventually(lambda: state().kept == 1)

    assert list(keeper.kept.values()) == [b"small"]
    assert "$LangngheTooLarge" in server.marks[1]


async def test_a_mail_that_the_server_does_not_give_does_not_hold_the_others():
    server, keeper = Server(b"one", b"two"), Keeper()
    server.answers["UID FETCH 1 (UID BODY"] = "{tag} NO [SERVERBUG] of an@example.test\r\n"

    async with watching(server, keeper) as state:
        await eventually(lambda: state().failing == 1)

    assert list(keeper.kept.values()) == [b"two"]


@pytest.mark.parametrize(
    "said",
    ["* 1 FETCH (UID 1\r\n", "* SEARCH " + "9" * 5000 + "\r\n{tag} OK\r\n", "x" * 2_000_000, ""],
    ids=["unclosed", "number", "line", "hang-up"],
)
async def test_a_server_that_speaks_no_imap_is_left(said):
    server, keeper = Server(b"one"), Keeper()
    server.answers["UID SEARCH"] = said or None

    async with watching(server, keeper) as state:
        await eventually(lambda: state().trouble in ("connection", "error"))
        await eventually(lambda: server.connections > 2)
        server.answers.clear()
        await eventually(lambda: state().kept == 1)


async def test_a_silent_server_is_left():
    server, keeper = Server(b"one"), Keeper()
    server.answers["UID FETCH"] = "* OK wait\r\n"

    pace = Pace(first=0.01, longest=0.01, patience=Patience(2, 0.05, 3))
    async with watching(server, keeper, pace=pace):
        await eventually(lambda: server.connections > 2)


async def test_a_mark_that_is_declined_is_harmless():
    server, keeper = Server(b"one"), Keeper()
    server.answers["UID STORE"] = "{tag} NO [LIMIT] too many\r\n"

    async with watching(server, keeper) as state:
        await eventually(lambda: state().kept == 1)
        await renewed(server)

    assert len(keeper.offered) == 1


async def test_mails_take_turns_for_the_room_that_there_is():
    room, inside = Room(100), []

    async def take(name, size):
        async with room.taken(size):
            inside.append(name)
            await asyncio.sleep(0)
            assert len(inside) <= 2
            inside.remove(name)

    waiting = asyncio.create_task(take("cancelled", 100))
    async with room.taken(60):
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait_for(take("small", 40), 5)
    await asyncio.wait_for(asyncio.gather(*(take(n, s) for n, s in enumerate((50, 50, 999)))), 5)
    assert inside == []


def test_mailboxes_come_from_a_file(tmp_path):
    (tmp_path / "mailboxes.json").write_text(
        '[{"agency": "a-one", "host": "mail.example.test", "user": "desk", "password": "p"}]'
    )

    [box] = read_mailboxes(tmp_path / "mailboxes.json")

    assert (box.agency, box.port, box.tls, box.folder) == ("a-one", 993, True, "INBOX")
    assert read_mailboxes(tmp_path / "other.json") == ()


@pytest.mark.parametrize(
    "wrong",
    ['"tls": false', '"agency": "A B"', '"pasword": "swordfish"', '"port": "x"'],
)
def test_a_wrong_file_is_refused_without_a_word_of_it(tmp_path, wrong):
    entry = f'"agency": "a-one", "host": "mail.example.test", "user": "desk", "password": "swordfish", {wrong}'
    (tmp_path / "mailboxes.json").write_text(f"[{{{entry}}}]")

    with pytest.raises(ValidationError) as refused:
        read_mailboxes(tmp_path / "mailboxes.json")

    assert "swordfish" not in str(refused.value)


def test_pauses_grow_up_to_their_bound():
    pauses = [Pace().pause("a-one-1", attempt) for attempt in (0, 3, 40)]

    assert 0.5 <= pauses[0] <= 1.0 < pauses[1] <= 8.0
    assert 30.0 <= pauses[2] <= 60.0
