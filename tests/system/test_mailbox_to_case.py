"""From a real mailbox to assigned cases: what other systems stop at or lose is all accounted for."""

import asyncio
from base64 import b64encode

import orjson

from deploy.connection import connected
from deploy.demo import SAMPLE, quiet
from deploy.rules import RULE_FILES, publish_rules
from deploy.stream import messages
from deploy.up import system
from deploy.verify import verify
from shared.contracts import CaseAssigned
from shared.contracts.case import case_id
from shared.contracts.envelope import Event
from shared.runtime.mongo import open_client
from shared.runtime.streams import EVENTS
from tests.dovecot import PASSWORD, running_dovecot
from tests.examples_intake import mail
from tests.examples_mail import BEYOND_A_CAP

AGENCY, USER = "a-so-xay-dung", "gopy"
GOOD, NASTY = 100, 94
WITHIN_SECONDS = 90
TEXT = "Content-Type: text/plain; charset=utf-8"


def good_mails() -> list[bytes]:
    return [
        mail(
            f"Hồ sơ xin phép xây dựng số {n} bị hẹn lại lần thứ ba, đề nghị xem xét.",
            message_id=f"<tot-{n}@example.vn>",
            subject=f"Phản ánh về hồ sơ số {n}",
            sender=f"Người dân {n} <dan{n}@example.vn>",
        )
        for n in range(GOOD)
    ]


def nasty_mails() -> list[bytes]:
    """Each unlike the others; none holds a good mail's id."""
    vietnamese = "Cán bộ hẹn lại nhiều lần, thái độ hách dịch."
    charsets = (
        *("latin-1", "windows-1252", "koi8-r", "shift_jis", "x-unknown", "utf-7", "utf8mb4", ""),
        *("us-ascii", "iso-2022-jp", "big5", "unicode-1-1", "binary", "%s", "utf-16", "cp65001"),
    )
    bodies = (
        *("Réponse à votre dépôt.".encode("latin-1"), vietnamese.encode("utf-16")),
        *(b"a\0b\0c", b"\xff\xfe\xfd", b"\x80" * 300, b"", b" ", b".", b"\r\r\r"),
        *(b"=C3=28 =ZZ =", b"\xed\xa0\x80 lone", b"\xf0\x9f\x98\x80" * 50, b"\x1b$B!" * 20),
        *("\u202eđảo ngược".encode(), ("z" + "\u0301" * 400).encode(), "\u200b".encode() * 99),
    )
    transfers = ("base64", "quoted-printable", "x-uuencode", "7bit", "gzip", "8bit;", "BASE64 x")
    headers = (
        *(b"From", b"From: ", b": nothing", b" continued", b"X-\xe9: y", b"X-Nul: a\0b"),
        *(b"Subject: =?utf-8?b?!!!!?=", b"Subject: =?x-none?q?a?=", b"Subject: =?utf-8?q?=ff=fe?="),
        *(b"To: undisclosed-recipients:;", b"To: <>, <@>, (a", b"Date: Thu, 99 Foo 20xx", b"Date:"),
        *(
            b"Date: Mon, 1 Jan 0001 00:00:00 +9999",
            b"Message-ID: <>",
            b"References: " + b"<x> " * 99,
        ),
        *(b"Content-Type: multipart/mixed", b'Content-Type: multipart/mixed; boundary=""'),
        *(b"Content-Type: text/plain; charset*=x''y", b"Content-Type: /", b"Content-Type: text"),
        b'Content-Type: text/plain; name*0="a"; name*0="b"',
        b"Content-Disposition: attachment; filename=../../etc/passwd",
        b'Content-Type: application/x; name="CON"',
    )
    found = [
        mail(
            vietnamese, message_id=f"<c{n}@x>", headers=(f"Content-Type: text/plain; charset={c}",)
        )
        for n, c in enumerate(charsets)
    ]
    found += [mail(body, message_id=f"<b{n}@x>", headers=(TEXT,)) for n, body in enumerate(bodies)]
    found += [
        mail(
            b64encode(vietnamese.encode())[:-3],
            message_id=f"<t{n}@x>",
            headers=(TEXT, f"Content-Transfer-Encoding: {t}"),
        )
        for n, t in enumerate(transfers)
    ]
    found += [mail(vietnamese, message_id=f"<h{n}@x>", headers=(h,)) for n, h in enumerate(headers)]
    found += [
        b"\r\n", b"no header at all\r\n", b"Subject: only a header\r\n\r\n", b"\xff\xff\r\n\r\n\xff",
        mail(vietnamese, message_id=None, date_=None), mail(vietnamese, sender="", message_id="<f@x>"),
        mail(vietnamese, sender="a@x.vn>\r\nFrom: b@y.vn", message_id="<ff@x>"),
        mail(vietnamese, message_id="<same@x>"), mail(vietnamese + " Khác.", message_id="<same@x>"),
        mail("<html><script>alert(1)</script><p>Xin chào", message_id="<s@x>",
             headers=("Content-Type: text/html",)),
        mail(b"--z\r\nContent-Type: message/rfc822\r\n\r\nFrom: x\r\n\r\n--z", message_id="<r@x>",
             headers=(b"Content-Type: multipart/mixed; boundary=z",)),
        mail(b"--z\r\n\r\ncut", message_id="<cut@x>",
             headers=(b"Content-Type: multipart/mixed; boundary=z",)),
    ]  # fmt: skip
    bombs = [made() for made in BEYOND_A_CAP.values()]
    small = [bomb for bomb in bombs if len(bomb) < 600_000]
    found += small[: NASTY - len(found)]
    assert len(found) == NASTY, len(found)
    assert len(set(found)) == NASTY
    return found


async def test_a_mailbox_of_good_and_nasty_mails_each_twice_is_all_accounted_for(tmp_path):
    state = tmp_path / "state"
    said: list[str] = []
    good, nasty = good_mails(), nasty_mails()
    with running_dovecot() as dovecot:
        keys = state / "keys"
        keys.mkdir(parents=True)
        box = {"agency": AGENCY, "host": "127.0.0.1", "port": dovecot.imap, "tls": False}
        (keys / "mailboxes.json").write_bytes(
            orjson.dumps([box | {"user": USER, "password": PASSWORD}])
        )
        for one in (*good, *nasty):
            await asyncio.to_thread(dovecot.deliver, USER, one, one)
        delivered = len(dovecot.files(USER))
        async with (
            system(state, on_event=said.append) as running,
            connected(running.endpoints.nats) as client,
        ):
            for noun in RULE_FILES:
                await publish_rules(client, SAMPLE / f"{noun}.yaml", noun)
            mongo = open_client(running.endpoints.mongo)
            intake = mongo["langnghe_intake"]
            async with asyncio.timeout(WITHIN_SECONDS):
                while await intake["arrivals"].count_documents({}) < delivered:
                    await asyncio.sleep(0.2)
            await quiet(client)
            findings = await verify(client, running.endpoints)
            fates = [d["fate"] async for d in intake["arrivals"].find()]
            submissions = {d["_id"]: d async for d in intake["submissions"].find()}
            assigned = {
                Event[CaseAssigned].model_validate_json(m.data).subject
                async for m in messages(client, EVENTS, [CaseAssigned.TYPE])
            }
            mongo.close()

    assert said == []  # no service ended
    assert delivered == 2 * (GOOD + NASTY)
    assert len(fates) == delivered
    assert len(submissions) == GOOD + NASTY
    assert fates.count("kept") == GOOD + NASTY
    assert fates.count("duplicate") == GOOD + NASTY
    assert {case_id(submission) for submission in submissions} == assigned
    assert [str(finding) for finding in findings] == []
