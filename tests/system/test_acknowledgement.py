"""Real mails on a real mail server: who writes is answered, may answer, and nobody else hears."""

import asyncio
import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import format_datetime

import httpx
import orjson

from deploy.connection import connected
from deploy.demo import SAMPLE, quiet
from deploy.rules import RULE_FILES, publish_rules
from deploy.up import system
from deploy.verify import verify
from services.intake.domain.mail import read_mail
from services.intake.domain.receipt import codes_in
from shared.runtime.mongo import open_client
from tests.dovecot import PASSWORD, running_dovecot
from tests.examples_acknowledging import EVIL, PAYLOADS, TEXT, hostile_mails
from tests.examples_intake import mail
from tests.unit.test_intake_writing import HEADERS, field_lines

AGENCY, DESK = "a-so-xay-dung", "gopy.so-xay-dung@khuegiang.example"
PAGE = "https://gopy.khuegiang.example/bien-nhan"
PERSON, FORM = "hoa.le@example.vn", "trang-web@example.vn"
WITHIN_SECONDS = 60


class Town:
    """The system, its mailbox and the people's, all on one mail server."""

    def __init__(self, running, client, dovecot, intake):
        self.running, self.client, self.dovecot, self.intake = running, client, dovecot, intake

    async def write(self, *raws):
        """To the agency; returns when everything that came in is kept."""
        before = await self.intake["arrivals"].count_documents({})
        await asyncio.to_thread(self.dovecot.deliver, DESK, *raws)
        await self.eventually("arrivals", before + len(raws), {})

    async def eventually(self, collection, number, query):
        async with asyncio.timeout(WITHIN_SECONDS):
            while await self.intake[collection].count_documents(query) < number:
                await asyncio.sleep(0.1)

    async def answered(self, number):
        """When so many submissions' mails were acknowledged, and none waits to be."""
        await self.eventually("submissions", number, {"acknowledged": {"$exists": True}})
        async with asyncio.timeout(WITHIN_SECONDS):
            while await self.intake["submissions"].count_documents(
                {"acknowledge": {"$exists": True}}
            ):
                await asyncio.sleep(0.1)

    def inbox(self, user):
        return [path.read_bytes() for path in self.dovecot.files(user)]

    def inboxes(self):
        return {path.name for path in (self.dovecot.folder / "mail").iterdir()}


@asynccontextmanager
async def town(tmp_path, monkeypatch):
    state, ended = tmp_path / "state", []
    with running_dovecot() as dovecot:
        monkeypatch.setenv("LANGNGHE_SMTP_URL", f"lmtp://127.0.0.1:{dovecot.lmtp}")
        monkeypatch.setenv("LANGNGHE_RECEIPT_PAGE", PAGE)
        keys = state / "keys"
        keys.mkdir(parents=True)
        box = {"agency": AGENCY, "host": "127.0.0.1", "port": dovecot.imap, "tls": False}
        (keys / "mailboxes.json").write_bytes(
            orjson.dumps([box | {"user": DESK, "password": PASSWORD}])
        )
        async with (
            system(state, on_event=ended.append) as running,
            connected(running.endpoints.nats) as client,
        ):
            for noun in RULE_FILES:
                await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
            mongo = open_client(running.endpoints.mongo)
            yield Town(running, client, dovecot, mongo["langnghe_intake"])
            await quiet(client)
            findings = await verify(client, running.endpoints)
            mongo.close()
    assert ended == []
    assert [str(finding) for finding in findings] == []


def letter(body, number, *headers, sender=f"Lê Thị Hoa <{PERSON}>"):
    return mail(
        body,
        message_id=f"<hoa-{number}@example.vn>",
        sender=sender,
        date_=format_datetime(datetime.now(UTC)),
        headers=(TEXT, *headers),
    )


async def test_who_writes_gets_the_code_and_may_answer(tmp_path, monkeypatch):
    async with town(tmp_path, monkeypatch) as there:
        await there.write(letter("Cầu Sắt bị nứt, đã báo ba lần.", 1))
        await there.answered(1)

        [raw] = there.inbox(PERSON)
        message = message_from_bytes(raw, policy=policy.default)
        read = read_mail(raw)
        assert read.from_address == DESK
        assert message["Return-Path"] == "<>"
        assert message["In-Reply-To"] == "<hoa-1@example.vn>"
        assert PAGE in read.text
        [code] = set(codes_in(read.text))
        async with httpx.AsyncClient(base_url=there.running.addresses()["intake"]) as page:
            told = await page.post("/v1/receipt", json={"code": code})
        assert told.status_code == 200

        answers = f"In-Reply-To: {message['Message-ID']}"
        await there.write(
            letter("Xin bổ sung: nứt thêm một chỗ.", 2, answers),
            letter("Tôi đi vắng đến thứ hai.", 3, answers, "Auto-Submitted: auto-replied"),
            letter("Không gửi được.", 4, sender="Mail Delivery System <MAILER-DAEMON@example.vn>"),
            raw.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\nfor you again\r\n",
            letter("Người lạ trả lời.", 5, answers, sender="Ai đó <la@example.vn>"),
        )
        await there.write(letter("Mẫu trên web.", 6, "Auto-Submitted: auto-generated", sender=FORM))
        await there.answered(2)

        [submission] = [
            d
            async for d in there.intake["submissions"].find({"sender": {"$exists": True}})
            if (await there.intake["conversations"].find_one({"submission": d["_id"]}))
        ]
        fates = [d["fate"] async for d in there.intake["arrivals"].find()]
        assert sorted(fates) == ["automatic"] * 3 + ["joined"] + ["kept"] * 3
        assert await there.intake["conversations"].count_documents({}) == 1
        assert submission["acknowledged"] > submission["kept"]
        assert len(there.inbox(PERSON)) == 1
        assert there.inboxes() == {DESK, PERSON, "la@example.vn"}


async def test_hostile_mails_add_no_header_and_no_recipient(tmp_path, monkeypatch):
    now = format_datetime(datetime.now(UTC)).encode()
    mails = [re.sub(rb"Date: [^\r\n]*", b"Date: " + now, raw) for raw in hostile_mails()]
    plainly = {read_mail(raw).from_address for raw in mails[::2]}
    assert len(plainly) == len(PAYLOADS) == 50

    async with town(tmp_path, monkeypatch) as there:
        await there.write(*mails)
        await there.answered(len(plainly))

        boxes = there.inboxes() - {DESK}
        sent = [raw for box in boxes for raw in there.inbox(box)]
        senders = {read_mail(raw).from_address for raw in mails}
        assert plainly <= boxes <= senders
        assert EVIL not in boxes
        assert len(sent) == len(boxes)
        for box in boxes:
            [raw] = there.inbox(box)
            ours = raw[raw.index(b"From: ") :].replace(b"\n", b"\r\n")  # as it came
            names = [n for n in field_lines(ours) if n not in {"In-Reply-To", "References"}]
            assert names == [n for n in HEADERS if n not in {"In-Reply-To", "References"}]
            message = message_from_bytes(raw, policy=policy.default)
            assert [a.addr_spec for a in message["To"].addresses] == [box]
        log = (tmp_path / "state" / "log" / "intake.log").read_bytes()
        assert b"example.vn" not in log
