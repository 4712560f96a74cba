"""Who spoke, and what they said, lies nowhere in clear: not in stores, streams, logs or metrics.

Five hundred submissions with five canaries each go in by every channel; then everything that the
system kept or said is searched for them, in every writing. At last all of it is erased.
"""

import asyncio
import hmac
import smtplib
import unicodedata
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import bson
import httpx
import orjson
from pymongo.errors import OperationFailure

from deploy.command import Order, give
from deploy.connection import connected
from deploy.demo import OPERATOR, SAMPLE, quiet
from deploy.feed import feed
from deploy.items import Item
from deploy.rules import RULE_FILES, publish_rules
from deploy.stream import messages
from deploy.up import system
from deploy.verify import verify
from shared.contracts import SubmissionErase
from shared.contracts.ingress import Fate
from shared.runtime.mongo import open_client
from shared.runtime.streams import DEAD_LETTERS, EVENTS, REFUSALS, REPORTS
from tests.dovecot import PASSWORD, free_port, running_dovecot
from tests.examples_intake import mail

AGENCY = "a-so-xay-dung"
MAILBOX = "gopy.so-xay-dung@khuegiang.example"
EACH = 50
"""Submissions by each of the ten ways in."""

NAME, PHONE, ADDRESS = "Hoàng Thị Yến Oanh", "0987654", "kim.oanh.canari"
HOUSE, SENTENCE = "ngõ Chim Hoàng Yến", "con chim hoàng yến hót trong mỏ than"
CANARIES = (NAME, PHONE, ADDRESS, HOUSE, SENTENCE)
IP, AGENT = "203.0.113.77", "CanaryBrowser/77"
TOKEN, SECRET = "token-of-the-agency-drawn-at-random", b"s" * 32


def writings(canary: str) -> set[bytes]:
    """Every form in which a careless program writes a text down."""
    found = set()
    for text in {canary, unicodedata.normalize("NFD", canary), canary[::-1]}:
        for raw in (text.encode(), orjson.dumps(text)[1:-1], text.encode("utf-16-le")):
            found |= {raw, raw.hex().encode(), raw.hex().upper().encode()}
            for shift in range(3):  # base64 looks different at each place
                inside = b64encode(b"x" * shift + raw)
                found.add(inside[4 if shift else 0 : -4])
        ascii_json = text.encode("ascii", "backslashreplace")
        found.add(ascii_json)
    return {form for form in found if len(form) > 5}


FORMS = {form: canary for canary in (*CANARIES, IP, AGENT) for form in writings(canary)}


def hits(content: bytes) -> set[str]:
    return {canary for form, canary in FORMS.items() if form in content}


def test_the_search_finds_each_canary_in_every_writing():
    for form, canary in FORMS.items():
        assert canary in hits(b"..." + form + b"...")
    for text in (NAME, f"Tôi là {NAME}.", unicodedata.normalize("NFD", NAME)):
        for before in ("", "x", "xx"):
            assert NAME in hits(b64encode((before + text + " và hơn").encode()))


def reporter(n):
    return {
        "name": f"{NAME} {n}",
        "phone": f"{PHONE}{n:03}",
        "email": f"{ADDRESS}{n}@example.vn",
        "address": f"Số {n}, {HOUSE}",
    }


def call(n):
    note = f"Lần {n}: {SENTENCE}, hồ sơ bị hẹn lại."
    data = {"call": f"1778463{n:03}.7", "caller": f"{PHONE}{n:03}", "note": note}
    return "hotline-call.logged.v1", data | {"reporter": reporter(n)}


def form(n):
    return "form.submitted.v1", {"text": f"{n} {SENTENCE}", "reporter": reporter(n)}


def letter(n):
    data = {"register_number": f"{n}/2026", "summary": f"{n} {SENTENCE}", "signatures": 1}
    return "letter.registered.v1", data | {"reporter": reporter(n)}


def broken(n):
    kind, data = call(n)
    return kind, data | {"kind": SENTENCE, NAME: PHONE}


def event(kind, data, way, n, **more):
    return {
        "specversion": "1.0",
        "id": f"{way}-{n}",
        "source": f"/agencies/{AGENCY}",
        "type": kind,
        "time": "2026-05-11T08:42:10+07:00",
        "data": data,
    } | more


def item(made, way, n):
    kind, data = made(n)
    return Item(f"{way}:{n}", AGENCY, kind, orjson.dumps(event(kind, data, way, n)))


def raw_mail(n, way):
    return mail(
        f"Tôi là {NAME}, {HOUSE}. {SENTENCE}. Điện thoại {PHONE}{n:03}.",
        message_id=f"<{ADDRESS}-{way}-{n}@example.vn>",
        sender=f"{NAME} <{ADDRESS}{n}@example.vn>",
        subject=f"{SENTENCE} {n}",
        headers=(
            "Content-Type: text/plain; charset=utf-8",
            f"Received: from [{IP}] by mx.example.vn; Mon, 11 May 2026 08:42:10 +0700",
            f"X-Originating-IP: [{IP}]",
            f"User-Agent: {AGENT}",
        ),
    )


HEADERS = {"X-Forwarded-For": IP, "User-Agent": AGENT, "Forwarded": f"for={IP}"}


class Feeding:
    """The ways in that do not pass the bus."""

    def __init__(self, address, dovecot, lmtp):
        self.http = httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=30)
        self.dovecot, self.lmtp = dovecot, lmtp

    async def events(self):
        batch = [event(*letter(1000 + n), "http", n) for n in range(EACH)]
        answer = await self.http.post(
            "/v1/events",
            content=orjson.dumps(batch),
            headers={
                "content-type": "application/cloudevents-batch+json",
                "authorization": f"Bearer {TOKEN}",
            },
        )
        assert answer.status_code == 202, answer.text

    async def forms(self):
        """From several places: who sends much from one is slowed down."""
        codes = []
        for n in range(EACH):
            said = reporter(n) | {"text": f"{n} {SENTENCE}"}
            files = {"attachments": (f"{NAME}.txt", SENTENCE.encode() * 3, "text/plain")}
            body = {"data": said, "files": files} if n % 2 else {"json": said}
            place = httpx.AsyncHTTPTransport(local_address=f"127.0.0.{2 + n // 8}")
            async with httpx.AsyncClient(transport=place, headers=HEADERS) as citizen:
                answer = await citizen.post(
                    self.http.base_url.join(f"/v1/agencies/{AGENCY}/form"),
                    headers={"idempotency-key": f"form-{n:020}"},
                    **body,
                )
            assert answer.status_code == 202, answer.text
            codes.append(answer.json()["receipt"])
        return codes

    async def webhook(self, name, body):
        content = orjson.dumps(body)
        at = str(int(datetime.now(UTC).timestamp()))
        signed = hmac.new(SECRET, f"{name}.{at}.".encode() + content, sha256).digest()
        answer = await self.http.post(
            f"/v1/agencies/{AGENCY}/calls",
            content=content,
            headers={
                "content-type": "application/json",
                "webhook-id": name,
                "webhook-timestamp": at,
                "webhook-signature": "v1," + b64encode(signed).decode(),
            },
        )
        assert answer.status_code == 202, answer.text

    async def calls(self):
        for n in range(EACH):
            await self.webhook(f"call-{n}", call(n)[1] | {"call": f"webhook-{n}"})
        rows = [
            {
                "src": f"{PHONE}{n:03}",
                "dst": "0999000005",
                "uniqueid": f"17784639{n:02}.1",
                "channel": f"SIP/{PHONE}{n:03}",
                "dstchannel": "SIP/desk",
                "start": "2026-05-11 08:42:10",
                "answer": "2026-05-11 08:42:20",
                "end": "2026-05-11 08:50:00",
                "disposition": "ANSWERED",
            }
            for n in range(EACH)
        ]
        await self.webhook("records", {"form": "cdr", "records": rows})

    async def mails(self):
        mails = [raw_mail(n, "imap") for n in range(EACH)]
        await asyncio.to_thread(self.dovecot.deliver, "gopy", *mails)

        def push():
            with smtplib.LMTP("127.0.0.1", self.lmtp) as lmtp:
                for n in range(EACH):
                    lmtp.sendmail(f"{ADDRESS}@example.vn", [MAILBOX], raw_mail(n, "lmtp"))

        await asyncio.to_thread(push)


async def everything_kept(mongo) -> dict[str, bytes]:
    """By collection, also of the server's own databases: its log of operations, its profiler."""
    found: dict[str, bytes] = {}
    for name in await mongo.list_database_names():
        for collection in await mongo[name].list_collection_names():
            cursor = mongo[name].get_collection(collection).find({}, batch_size=1000)
            try:
                found[f"{name}.{collection}"] = b"".join(
                    [bson.encode(document) async for document in cursor]
                )
            except OperationFailure:  # a view of the server's own that nobody may read
                assert name in {"admin", "config", "local"}
    return found


async def everything_said(client) -> dict[str, bytes]:
    said: dict[str, bytes] = {}
    for stream in (EVENTS, REPORTS, REFUSALS, DEAD_LETTERS):
        async for message in messages(client, stream):
            head = f"{message.subject} {message.headers}".encode()
            said[stream] = said.get(stream, b"") + head + message.data
    return said


def everything_on_disk(state) -> dict[str, bytes]:
    """Without the zeros that files are laid out with."""
    return {
        str(path.relative_to(state)): path.read_bytes().replace(bytes(64), b"")
        for part in ("nats", "mongo", "log")
        for path in (state / part).rglob("*")
        if path.is_file()
    }


async def test_nothing_lies_in_clear_and_erased_is_erased(tmp_path, monkeypatch):  # noqa: PLR0915
    state = tmp_path / "state"
    keys = state / "keys"
    keys.mkdir(parents=True)
    ended: list[str] = []
    with running_dovecot() as dovecot:
        lmtp = free_port()
        monkeypatch.setenv("LANGNGHE_LMTP_PORT", str(lmtp))
        box = {"agency": AGENCY, "host": "127.0.0.1", "port": dovecot.imap, "tls": False}
        (keys / "mailboxes.json").write_bytes(
            orjson.dumps([box | {"user": "gopy", "password": PASSWORD}])
        )
        secret = b64encode(SECRET).decode()
        credential = {"token_sha256": sha256(TOKEN.encode()).hexdigest(), "webhook_secret": secret}
        (keys / "agencies.json").write_bytes(orjson.dumps({AGENCY: credential}))
        async with (
            system(state, on_event=ended.append) as running,
            connected(running.endpoints.nats) as client,
        ):
            for noun in RULE_FILES:
                await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
            await quiet(client)
            feeding = Feeding(running.addresses()["intake"], dovecot, lmtp)
            clear = [
                item(made, made.__name__, n) for made in (call, form, letter) for n in range(EACH)
            ]
            clear += [item(broken, "broken", n) for n in range(EACH)]
            sealed = [item(letter, "sealed", 2000 + n) for n in range(EACH)]
            told = await feed(client, clear)
            told += await feed(client, sealed, seal=True)
            await feeding.events()
            codes = await feeding.forms()
            await feeding.calls()
            await asyncio.sleep(2)  # a new directory is known to every listener
            await feeding.mails()
            mongo = open_client(running.endpoints.mongo)
            intake = mongo["langnghe_intake"]
            expected = 4 * EACH + EACH + EACH + EACH + 2 * EACH  # bus, HTTP, calls, mails
            async with asyncio.timeout(60):
                while await intake["submissions"].count_documents({}) < expected:
                    await asyncio.sleep(0.2)
            await quiet(client)
            findings = await verify(client, running.endpoints)
            async with httpx.AsyncClient() as plain:
                metrics = b"".join(
                    [
                        (await plain.get(f"{address}/metrics")).content
                        for name, address in running.addresses().items()
                        if name in ("intake", "routing", "reporting")
                    ]
                )
            searched = {
                **await everything_kept(mongo),
                **await everything_said(client),
                **everything_on_disk(state),
                "metrics": metrics,
                "codes": b"",
            }
            refused = sum(t.fate == Fate.REFUSED for t in told)
            before = await intake["submissions"].find().to_list(None)

            orders = [
                Order(OPERATOR, d["_id"], datetime.now(UTC), SubmissionErase(citation="Điều 1"))
                for d in before
            ]
            fates = await give(client, "intake", orders)
            await quiet(client)
            left = await mongo["langnghe_intake_keys"]["data_keys"].count_documents(
                {"owner": {"$in": [d["_id"] for d in before]}}
            )
            after = await everything_kept(mongo)
            mongo.close()

    found = {place: hits(content) for place, content in searched.items()}
    assert sum(map(len, searched.values())) > 1_000_000
    assert {place: what for place, what in found.items() if what} == {}
    for code in codes:
        assert all(code.encode() not in content for content in searched.values())
    assert refused == EACH
    assert ended == []
    assert [str(finding) for finding in findings] == []
    assert {fate.fate for fate in fates} == {Fate.KEPT}
    assert left == 0
    assert {place: hits(content) for place, content in after.items() if hits(content)} == {}
