"""Makes everything happen in a running system that intake keeps a document of."""

import asyncio
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import nats
import nats.errors
import orjson

from deploy.access.nkeys import draw_once
from deploy.access.permissions import body as as_body
from deploy.command import Order, give
from deploy.connection import connected, credentials
from deploy.demo import OPERATOR, quiet
from deploy.verify.totals import ZONE
from services.intake.domain.heartbeat import GRACE
from services.intake.handlers import feed_watcher, watcher
from services.intake.store import MongoFeeds, MongoHeard, MongoRecords, MongoRules
from shared.contracts import (
    CaseAccept,
    CaseAskUnsealing,
    CaseConclude,
    CaseConfirmUnsealing,
    FeedHeartbeat,
    SubmissionErase,
    SubmissionHold,
    SubmissionRelease,
)
from shared.contracts.case import case_id
from shared.contracts.ingress import Fate
from shared.contracts.submission import submission_id
from shared.contracts.vocabulary import Outcome
from shared.runtime.mongo import open_client, open_database
from tests.examples_intake import mail, mail_event

AGENCY, SECOND = "a-so-xay-dung", "a-so-y-te"
SECRET = b"s" * 32
CALL, LETTER = "hotline-call.logged.v1", "letter.registered.v1"
LARGE = b"x" * 300_000
WORDS = (
    "Kính đề nghị xem xét việc hồ sơ xin cấp phép sửa chữa nhà ở của gia đình bị hẹn lại nhiều "
    "lần mà không có văn bản trả lời, cán bộ tiếp nhận mỗi lần yêu cầu thêm một giấy tờ khác nhau."
)


def token(agency: str) -> str:
    return f"token-of-{agency}-drawn-at-random"


def let_in(state, agencies) -> None:
    """Bearer tokens and webhook secrets; before or while the system runs."""
    secret = b64encode(SECRET).decode()
    entries = {
        agency: {
            "token_sha256": sha256(token(agency).encode()).hexdigest(),
            "webhook_secret": secret,
        }
        for agency in agencies
    }
    (state / "keys").mkdir(parents=True, exist_ok=True)
    (state / "keys" / "agencies.json").write_bytes(orjson.dumps(entries))


def event(kind, item, data, agency=AGENCY, **more):
    return {
        "specversion": "1.0",
        "id": item,
        "source": f"/agencies/{agency}",
        "type": kind,
        "time": "2026-05-11T08:42:10+07:00",
        "data": data,
    } | more


def letter(number, words=WORDS, agency=AGENCY, **more):
    data = {"register_number": f"{number}/2026", "summary": words, "signatures": 1}
    return event(LETTER, f"letter-{number}", data, agency, **more)


class Happening:
    def __init__(self, running, client):
        self.endpoints, self.client = running.endpoints, client
        self.http = httpx.AsyncClient(base_url=running.addresses()["intake"], timeout=30)

    async def events(self, batch, agency=AGENCY, raw=None):
        """The fates of a batch over HTTP, in order."""
        answer = await self.http.post(
            "/v1/events",
            content=raw or orjson.dumps(batch),
            headers={
                "content-type": "application/cloudevents-batch+json",
                "authorization": f"Bearer {token(agency)}",
            },
        )
        assert answer.status_code in {202, 207}, answer.text
        return [entry.get("fate", Fate.REFUSED) for entry in answer.json()["events"]]

    async def form(self, text, **files):
        answer = await self.http.post(
            f"/v1/agencies/{AGENCY}/form",
            data={"text": text},
            files=[("attachments", (f"{name}.bin", content)) for name, content in files.items()],
        )
        assert answer.status_code == 202, answer.text
        return answer.json()["submission"], answer.json()["receipt"]

    async def under(self, path, **question):
        answer = await self.http.post(f"/v1/receipt/{path}", json=question)
        assert answer.status_code == 202, answer.text

    async def records(self, *rows):
        content = orjson.dumps({"form": "cdr", "records": rows})
        at = str(int(datetime.now(UTC).timestamp()))
        signed = hmac.new(SECRET, f"records.{at}.".encode() + content, sha256).digest()
        answer = await self.http.post(
            f"/v1/agencies/{AGENCY}/calls",
            content=content,
            headers={
                "content-type": "application/json",
                "webhook-id": "records",
                "webhook-timestamp": at,
                "webhook-signature": "v1," + b64encode(signed).decode(),
            },
        )
        assert answer.status_code == 202, answer.text

    async def order(self, data, submission):
        [fate] = await give(
            self.client, "intake", [Order(OPERATOR, submission, datetime.now(UTC), data)]
        )
        assert fate.fate is Fate.KEPT

    async def ask(self, body, question, **asked):
        """As the body itself: nobody else may ask in its name."""
        user, folder = as_body(body), self.endpoints.nats.seed.parent
        seed = draw_once(folder, user.name)
        async with asyncio.timeout(20):
            while True:
                try:
                    client = await nats.connect(
                        self.endpoints.nats, allow_reconnect=False, **credentials(seed, user)
                    )
                    break
                except (nats.errors.Error, OSError):  # the server learns of the key by and by
                    await asyncio.sleep(0.1)
        try:
            answer = await client.request(
                f"ask.{body}.intake.{question}",
                orjson.dumps({"person": "can-bo-1"} | asked),
                timeout=5,
            )
        finally:
            await client.close()
        return orjson.loads(answer.data)["status"]


async def everything_happens(running) -> None:
    """Afterwards each collection of intake has two documents at least of each kind."""
    async with connected(running.endpoints.nats) as client:
        happening = Happening(running, client)
        mongo = open_client(running.endpoints.mongo)
        try:
            intake = open_database(mongo, "langnghe_intake")
            await _sendings(happening)
            await _calls(happening)
            await _bodies(happening, intake)
            await _protection(happening)
            await _alarms(intake)
            async with asyncio.timeout(20):
                for name in ("submissions", "conversations", "ratings", "alarms"):
                    while await intake[name].count_documents({"unannounced": True}):
                        await asyncio.sleep(0.1)
            await quiet(client)
        finally:
            mongo.close()
            await happening.http.aclose()


async def _sendings(happening) -> None:
    absent = ("Auto-Submitted: auto-replied", "Content-Type: text/plain; charset=utf-8")
    away = [mail("Tôi vắng mặt.", message_id=f"<vang-{n}@x>", headers=absent) for n in (1, 2)]
    fates = await happening.events(
        [
            *(letter(n, f"Việc thứ {n}.") for n in range(1, 9)),
            *(event("mailbox-message.arrived.v1", f"v-{n}", mail_event(m)) for n, m in enumerate(away)),
            event(CALL, "call-1", {"call": "1.1", "note": "Hồ sơ bị hẹn lại."}, sequence="1"),
            event(CALL, "call-2", {"call": "1.2", "note": "Hồ sơ bị trả lại."}, sequence="3"),
            *(event(CALL, f"refused-{n}", {"call": "1", "kind": "nothing"}) for n in (1, 2)),
        ]
    )  # fmt: skip
    assert fates == ["kept"] * 8 + ["automatic"] * 2 + ["kept"] * 2 + ["refused"] * 2
    assert await happening.events([letter(1, "Việc thứ 1."), letter(2, "Việc thứ 2.")]) == ["duplicate"] * 2  # fmt: skip
    notes = [
        event(CALL, f"note-{n}", {"call": f"1.{n}", "note": f"Nói thêm lần {n}."}) for n in (1, 2)
    ]
    assert await happening.events(notes) == ["joined"] * 2
    numbered = letter(30, "Một.", SECOND, sequence="1")
    beat = event(FeedHeartbeat.TYPE, "beat-1", {}, SECOND, sequence="2")
    assert await happening.events([numbered, beat], SECOND) == ["kept", "heard"]
    for number in (20, 21, 22):
        assert await happening.events([letter(number)]) == ["kept"]


async def _calls(happening) -> None:
    row = {
        "src": "0900000017",
        "dst": "0999000005",
        "channel": "SIP/0900000017",
        "dstchannel": "SIP/desk",
        "start": "2026-05-11 08:42:10",
        "answer": "2026-05-11 08:42:20",
        "end": "2026-05-11 08:50:00",
        "disposition": "ANSWERED",
    }
    await happening.records(*(row | {"uniqueid": f"17784637.{n}"} for n in range(6)))


async def _bodies(happening, intake) -> None:
    """Two forms become cases that their bodies ask about, answer and conclude."""
    for n in (1, 2):
        submission, code = await happening.form(f"Tệp thứ {n}.", one=LARGE, two=LARGE)
        await happening.under("messages", code=code, text=f"Xin hỏi thêm lần {n}.")
        await quiet(happening.client)
        case = case_id(submission)
        lead = (await intake["cases"].find_one({"_id": case}))["lead"]
        reason = "Xác minh theo kế hoạch."
        for number, person in enumerate(("can-bo-1", "can-bo-2"), start=1):
            await _agreed(happening, case, lead, person, number)
            asked = {"case": case, "reason": reason, "person": person, "unsealing": number}
            assert await happening.ask(lead, "identity", **asked) == "told"
            assert await happening.ask(lead, "identity", **asked) == "second-person-needed"
        assert await happening.ask(lead, "say", case=case, text="Xin bổ sung.", item="1") == "kept"
        for order in (CaseAccept(), CaseConclude(outcome=Outcome.RIGHT)):
            [fate] = await give(
                happening.client, "routing", [Order(lead, case, datetime.now(UTC), order)]
            )
            assert fate.fate is Fate.KEPT
        await quiet(happening.client)
        await happening.under("rating", code=code, score=4)


async def _agreed(happening, case, lead, person, number) -> None:
    """The person asks to be told who spoke, and somebody of another body agrees."""
    citation = "Quyết định số 12/QĐ"
    ask = CaseAskUnsealing(ground="biet-nguoi-gui", person=person, citation=citation)
    confirm = CaseConfirmUnsealing(number=number, person="kt-0031")
    second = next(body for body in ("ubkt-tinh", "doan-tinh") if body != lead)
    for party, order in ((lead, ask), (second, confirm)):
        wanted = Order(party, case, datetime.now(UTC), order)
        [fate] = await give(happening.client, "routing", [wanted])
        assert fate.fate is Fate.KEPT, fate
    await quiet(happening.client)


async def _protection(happening) -> None:
    named = [submission_id(AGENCY, f"letter-{n}") for n in range(1, 9)]
    for submission in named[2:5]:
        await happening.order(SubmissionHold(citation="Luật Tố cáo 2018, Điều 56"), submission)
    await happening.order(SubmissionRelease(citation="Hết thời hạn."), named[4])
    for submission in named[5:8]:
        await happening.order(SubmissionErase(citation="Theo yêu cầu."), submission)


async def _alarms(intake) -> None:
    """A gap of one number and channels that fell silent, as the service finds them in time."""
    rules, alarms = MongoRules(intake), MongoRecords(intake, "alarms")
    watch = watcher(rules, MongoHeard(intake), alarms, ZONE)
    watch_feeds = feed_watcher(rules, MongoFeeds(intake), alarms, lambda: False)
    now = datetime.now(UTC)
    assert await watch(now + timedelta(days=200)) > 0
    await watch_feeds(now)
    assert await watch_feeds(now + GRACE) == 1
