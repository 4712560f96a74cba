"""Every real mail goes through a real mailbox and the running system, and is read as it was sent.

Delivered to Dovecot by LMTP, fetched by IMAP, parsed, sealed, kept; then opened again.
"""

import asyncio
import os
import re
from collections import Counter
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from deploy.connection import connected
from deploy.demo import SAMPLE, quiet
from deploy.rules import RULE_FILES, publish_rules
from deploy.up import system
from deploy.verify import verify
from services.intake.domain.mail import Attachment, Mail
from services.intake.store import MongoContents, MongoDataKeys
from services.intake.vault import open_sealed
from services.intake.wrapping import FileWrapping
from shared.runtime.mongo import open_client
from tests.corpus.test_mail_corpus import MAILS, fits
from tests.dovecot import PASSWORD, running_dovecot

pytestmark = pytest.mark.corpus

FOLDER = Path(os.environ.get("LANGNGHE_CORPUS", ""))
AT_LEAST = 0.995
AGENCY, USER = "a-so-xay-dung", "gopy"
ADDED = re.compile(rb"(?:Return-Path|Delivered-To|Received)[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
"""The lines that Dovecot puts before a mail."""


def told_apart(raw: bytes) -> str:
    """The same for a mail before and after its way: line ends and a last one count for nothing."""
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"\x80")
    return sha256(lines.rstrip(b"\n")).hexdigest()


def as_sent(raw: bytes) -> bytes:
    """Without the three lines that were added, each once."""
    for _ in range(3):
        added = ADDED.match(raw)
        raw = raw[added.end() :] if added else raw
    return raw


class Kept:
    """Opens what intake keeps, as only its keys can."""

    def __init__(self, mongo, state):
        keys = FileWrapping.from_file(state / "keys" / "intake.kek")
        self.contents = MongoContents(mongo["langnghe_intake"])
        self.keys = MongoDataKeys(mongo["langnghe_intake_keys"], keys)

    async def mail(self, submission: str) -> tuple[bytes, Mail]:
        parts = await self.contents.parts(submission, ("raw", "identity", "text"))
        keys = await self.keys.find([part.key for part in parts.values()])
        opened = {n: open_sealed(keys[p.key], n, p) for n, p in parts.items()}
        identity, text = orjson.loads(opened["identity"]), orjson.loads(opened["text"])
        return opened["raw"], Mail(
            from_address=identity["from"],
            from_name=identity["name"],
            subject=text["subject"],
            message_id=identity["message_id"],
            date=datetime.fromisoformat(text["date"]) if text["date"] else None,
            text=text["text"],
            attachments=tuple(Attachment(**one) for one in text["attachments"]),
        )


async def test_every_mail_of_the_corpus_is_accounted_for_and_read_as_it_was_sent(tmp_path):
    ended: list[str] = []
    state = tmp_path / "state"
    (state / "keys").mkdir(parents=True)
    sent = {path: (FOLDER / path).read_bytes() for path in MAILS}
    with running_dovecot() as dovecot:
        box = {"agency": AGENCY, "host": "127.0.0.1", "port": dovecot.imap, "tls": False}
        (state / "keys" / "mailboxes.json").write_bytes(
            orjson.dumps([box | {"user": USER, "password": PASSWORD}])
        )
        await asyncio.to_thread(dovecot.deliver, USER, *sent.values())
        async with (
            system(state, on_event=ended.append) as running,
            connected(running.endpoints.nats) as client,
        ):
            for noun in RULE_FILES:
                await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
            mongo = open_client(running.endpoints.mongo)
            intake = mongo["langnghe_intake"]
            async with asyncio.timeout(120):
                while await intake["arrivals"].count_documents({}) < len(sent):
                    await asyncio.sleep(0.2)
            await quiet(client)
            findings = await verify(client, running.endpoints)
            fates = Counter([d["fate"] async for d in intake["arrivals"].find()])
            kept = Kept(mongo, state)
            read: dict[str, Mail] = {}
            async for document in intake["submissions"].find({}, {"_id": 1}):
                raw, mail = await kept.mail(document["_id"])
                read[told_apart(as_sent(raw))] = mail
            mongo.close()

    met, asked = Counter[str](), Counter[str]()
    for path, raw in sent.items():
        mail = read.get(told_apart(raw))
        for fact, value in MAILS[path].get("agreed", {}).items() if mail else ():
            asked[fact] += 1
            met[fact] += fits(mail, fact, value)
    print(dict(fates), {fact: f"{met[fact]}/{asked[fact]}" for fact in asked})

    assert ended == []  # no service ended
    assert fates.total() == len(sent) >= 580
    assert set(fates) <= {"kept", "duplicate", "joined", "automatic"}
    assert len(read) > 500
    assert [str(finding) for finding in findings] == []
    for fact, count in asked.items():
        assert met[fact] >= AT_LEAST * count, fact
