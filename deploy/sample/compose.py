"""Writes the sample's feed: `python -m deploy.sample.compose`. The same seed, the same bytes.

What it writes is kept beside it, so that a reader can look at real files; a test holds the two
together. Half a year of 24 agencies: mails in many encodings, calls, letters, forms, activities,
published channels; some sent twice, some broken, some about the very body that would be competent.
"""

import shutil
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.header import Header
from pathlib import Path
from random import Random
from typing import Any
from unicodedata import normalize

import orjson

from deploy.items import mail_item_id
from deploy.rules import RULE_FILES, read_rules
from deploy.sample import phrases
from shared.contracts.directory import Directory, OfficeRank

HERE = Path(__file__).parent
ZONE = timezone(timedelta(hours=7))
FIRST = datetime(2025, 12, 15, 8, 0, tzinfo=ZONE)
DAYS = 180

Event = dict[str, Any]


class Composer:
    """Draws everything from one seed. `lines` by agency and file, `mails` by agency."""

    def __init__(self, directory: Directory, seed: int = 124) -> None:
        self._draw = Random(seed)  # noqa: S311 - a sample, no secret
        self._directory = directory
        self._agencies = [(a.code, a.unit) for a in directory.agencies]
        heads = [o for o in directory.offices if o.rank is OfficeRank.HEAD]
        self._heads = {o.unit: o for o in reversed(heads)}  # the first is the unit's own
        self._in_bodies = [o for o in directory.offices if o.code.startswith(("ct-", "cn-", "tb-"))]
        self.lines: dict[tuple[str, str], list[bytes]] = defaultdict(list)
        self.mails: dict[str, list[bytes]] = defaultdict(list)
        self.answers: list[Event] = []
        self.counts = dict.fromkeys(("kept", "duplicates", "refused"), 0)

    def compose(self) -> None:
        self._channels()
        self._activities()
        for number in range(70):
            self._call(number)
        for number in range(60):
            self._letter(number)
        for number in range(30):
            self._form(number)
        for number in range(84):
            self._mail(number)
        self._about_the_bodies()
        self._twice()
        self._broken()

    def _at(self) -> datetime:
        minutes = self._draw.randrange(9 * 60)
        return FIRST + timedelta(days=self._draw.randrange(DAYS), minutes=minutes)

    def _agency(self) -> tuple[str, str]:
        return self._draw.choice(self._agencies)

    def _words(self, unit: str, matters: tuple[str, ...] = phrases.MATTERS) -> str:
        head = self._heads.get(unit) or self._heads["tinh"]
        return self._draw.choice(matters).format(office=head.title.vi)

    def _any_matter(self, unit: str) -> str:
        """Mostly reflections, as it is in life; one in eight concerns another's unit."""
        if self._draw.random() < 0.125:
            unit = self._agency()[1]
        kinds = (phrases.PETITIONS, phrases.COMPLAINTS, phrases.DENUNCIATIONS)
        rest = (phrases.MATTERS,) * 7
        return self._words(unit, self._draw.choice((*kinds, *rest)))

    def _event(
        self, agency: str, file: str, kind: str, item: str, at: datetime, data: Event
    ) -> None:
        event = {
            "specversion": "1.0",
            "id": item,
            "source": f"/agencies/{agency}",
            "type": kind,
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        self.lines[agency, file].append(orjson.dumps(event))
        self.counts["kept"] += 1

    def _answer(self, agency: str, item: str, at: datetime) -> None:
        """Seven in ten are taken up; of these most are answered, some late, some not yet."""
        del at
        if self._draw.random() > 0.7:
            return
        late = self._draw.random() < 0.15
        days = self._draw.randrange(45, 70) if late else self._draw.randrange(6, 25)
        self.answers.append(
            {
                "agency": agency,
                "item": item,
                "accept_after_days": self._draw.randrange(1, 6),
                "conclude_after_days": days if self._draw.random() < 0.8 else None,
                "outcome": self._draw.choice(["right", "wrong", "partly-right", "partly-right"]),
            }
        )

    def _channels(self) -> None:
        for place, (agency, unit) in enumerate(self._agencies):
            for channel, address in (
                ("mailbox", f"gopy.{unit}@khuegiang.example"),
                ("hotline", ""),
            ):
                if channel == "hotline" and place in (17, 22):  # two agencies have none yet
                    continue
                self._event(
                    agency,
                    "channels",
                    "channel.published.v1",
                    f"channel-{channel}",
                    FIRST,
                    {
                        "channel": channel,
                        "address": address or f"0999 000 {place + 1:03d}",
                        "published": "2025-12-15",
                    },
                )

    def _activities(self) -> None:
        forms = ("doan-giam-sat", "du-hop", "nghien-cuu-bao-cao", "kiem-diem", "xep-loai")
        for number, decision in enumerate(self._directory.supervisions * 2):
            office = next(o for o in self._directory.offices if o.code == decision.office)
            unit = office.unit if f"a-{office.unit}" in dict(self._agencies) else "tinh"
            form = forms[number % 5]
            at = self._at()
            self._event(
                f"a-{unit}",
                "records",
                "supervision.recorded.v1",
                f"supervision-{number:03d}",
                at,
                {
                    "body": decision.body,
                    "mode": "direct" if form == "doan-giam-sat" else "indirect",
                    "form": form,
                    "office": decision.office,
                    "decision": decision.decision,
                    "held": at.date().isoformat(),
                },
            )
        for number in range(20):
            agency, unit = self._agency()
            at = self._at()
            opinions = self._draw.randrange(4, 30)
            head = self._heads.get(unit)
            self._event(
                agency,
                "records",
                "dialogue.held.v1",
                f"dialogue-{number:03d}",
                at,
                {
                    **({"office": head.code} if head else {}),
                    "held": at.date().isoformat(),
                    "participants": self._draw.randrange(20, 200),
                    "opinions_received": opinions,
                    "opinions_accepted": self._draw.randrange(opinions),
                },
            )

    def _call(self, number: int) -> None:
        agency, unit = self._agency()
        at = self._at()
        data: Event = {"call": f"1765{number:06d}.{number}", "note": self._any_matter(unit)}
        if self._draw.random() < 0.6:
            data["caller"] = f"0999 001 {number:03d}"
        self._event(agency, "calls", "hotline-call.logged.v1", f"call-{number:03d}", at, data)
        self._answer(agency, f"call-{number:03d}", at)

    def _letter(self, number: int) -> None:
        agency, unit = self._agency()
        at = self._at().replace(hour=9, minute=0)
        data = {
            "register_number": f"{number + 1:03d}/ĐT",
            "summary": self._any_matter(unit),
            "signatures": self._draw.choice([0, 1, 1, 1, 3, 12]),
            "paper_box": self._draw.random() < 0.3,
        }
        self._event(agency, "letters", "letter.registered.v1", f"letter-{number:03d}", at, data)
        self._answer(agency, f"letter-{number:03d}", at)

    def _form(self, number: int) -> None:
        agency, unit = self._agency()
        at = self._at()
        data: Event = {"text": self._any_matter(unit)}
        if self._draw.random() < 0.5:
            data["reporter"] = {"name": self._draw.choice(phrases.NAMES)}
        self._event(agency, "forms", "form.submitted.v1", f"form-{number:03d}", at, data)
        self._answer(agency, f"form-{number:03d}", at)

    def _mail(self, number: int) -> None:
        agency, unit = self._agency()
        at = self._at()
        text = "\n\n".join(
            (
                self._draw.choice(phrases.OPENINGS),
                self._any_matter(unit),
                self._draw.choice(phrases.CLOSINGS),
            )
        )
        subject = self._draw.choice(phrases.SUBJECTS)
        body = ENCODINGS[number % len(ENCODINGS)](text)
        raw = _headers(number, unit, subject, at) + body
        self.mails[agency].append(raw)
        self.counts["kept"] += 1
        self._answer(agency, mail_item_id(raw), at)

    def _about_the_bodies(self) -> None:
        """Each names a member of the body that would be competent."""
        for number, office in enumerate(self._in_bodies):
            agency = f"a-{office.unit}"
            if agency not in dict(self._agencies):
                continue
            text = phrases.MATTERS[number % len(phrases.MATTERS)].format(office=office.title.vi)
            at = self._at()
            item = f"body-{number:03d}"
            self._event(agency, "forms", "form.submitted.v1", item, at, {"text": text})
            self._answer(agency, item, at)

    def _twice(self) -> None:
        for key in sorted(self.lines)[:40:5]:
            self.lines[key].append(self.lines[key][0])
            self.counts["duplicates"] += 1
        for agency in sorted(self.mails)[:4]:
            self.mails[agency].append(self.mails[agency][0])
            again = (
                b"Received: from relay.example by mx.example; Mon, 1 Jun 2026 08:00:00 +0700\r\n"
            )
            self.mails[agency].append(again + self.mails[agency][0])
            self.counts["duplicates"] += 2

    def _broken(self) -> None:
        agency = self._agencies[3][0]
        good: Event = {
            "specversion": "1.0",
            "source": f"/agencies/{agency}",
            "type": "hotline-call.logged.v1",
            "time": "2026-03-02T08:00:00+07:00",
            "data": {"call": "x", "note": "Cuộc gọi thử"},
        }
        broken = (
            good | {"id": "broken-1", "data": {"note": "Thiếu mã cuộc gọi"}},
            good | {"id": "broken-2", "time": "2026-03-02T08:00:00"},
            good | {"id": "broken-3", "data": {"call": "y", "note": "Sai tên", "calller": "1"}},
            good | {"id": "broken-4", "type": "hotline-call.recorded.v1"},
            good | {"id": "broken-5", "type": "letter.registered.v1",
                    "data": {"register_number": "9", "summary": "Sai kiểu", "signatures": "hai"}},
            good | {"id": "broken-6", "specversion": "0.3"},
            {key: value for key, value in good.items() if key != "type"} | {"id": "broken-7"},
        )  # fmt: skip
        self.lines[agency, "broken"] += [orjson.dumps(event) for event in broken]
        self.lines[agency, "broken"].append(b'{"specversion": "1.0", "id": "broken-8", ')
        self.counts["refused"] += len(broken) + 1

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file by its path below the sample."""
        for (agency, file), lines in sorted(self.lines.items()):
            yield f"feed/{agency}/{file}.jsonl", b"\n".join(lines) + b"\n"
        for agency, mails in sorted(self.mails.items()):
            if agency == "a-van-phong":  # an agency that exports one mail box
                box = b"".join(b"From sample\n" + m.replace(b"\r\n", b"\n") + b"\n" for m in mails)
                yield f"feed/{agency}/mail.mbox", box
                continue
            for number, raw in enumerate(mails):
                yield f"feed/{agency}/mail/{number:03d}.eml", raw
        yield "answers.jsonl", b"\n".join(map(orjson.dumps, self.answers)) + b"\n"
        expected = {"items": sum(self.counts.values()), **self.counts}
        yield "expected.json", orjson.dumps(expected, option=orjson.OPT_INDENT_2) + b"\n"


def _headers(number: int, unit: str, subject: str, at: datetime) -> bytes:
    name = phrases.NAMES[number % len(phrases.NAMES)]
    author = f"{Header(name, 'utf-8').encode()} <nguoidan{number:03d}@thudientu.example>"
    title = Header(subject, "utf-8").encode() if number % 3 else subject
    lines = (
        f"From: {author if number % 4 else f'nguoidan{number:03d}@thudientu.example'}",
        f"To: gopy.{unit}@khuegiang.example",
        f"Subject: {title}",
        f"Date: {at.strftime('%a, %d %b %Y %H:%M:%S %z')}",
        f"Message-ID: <sample-{number:03d}@thudientu.example>",
        "MIME-Version: 1.0",
        "",
    )
    return "\r\n".join(lines).encode()


def _part(charset: str, raw: bytes, encoding: str = "base64", kind: str = "text/plain") -> bytes:
    declared = f'; charset="{charset}"' if charset else ""
    head = f"Content-Type: {kind}{declared}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    content = b64encode(raw) if encoding == "base64" else raw
    return head.encode() + content + b"\r\n"


def _html(text: str) -> bytes:
    paragraphs = "".join(f"<p>{line}</p>" for line in text.split("\n\n"))
    page = f"<html><head><style>p {{margin: 0}}</style></head><body>{paragraphs}</body></html>"
    return _part("utf-8", page.encode(), kind="text/html")


def _with_attachment(text: str) -> bytes:
    boundary = "=_phan_thu"
    parts = (
        _part("utf-8", text.encode()),
        b'Content-Type: application/pdf; name="chung-tu.pdf"\r\n'
        b'Content-Disposition: attachment; filename="chung-tu.pdf"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(b"%PDF-1.4 sample") + b"\r\n",
    )
    mark = f"--{boundary}".encode()
    head = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
    return head + b"".join(mark + b"\r\n" + part for part in parts) + mark + b"--\r\n"


def _windows_1258(text: str) -> bytes:
    """That code writes tones behind their vowel, and has no letter for both at once."""
    toned = "".join(_apart(letter) for letter in normalize("NFC", text))
    return _part("windows-1258", toned.encode("cp1258", "replace"))


def _apart(letter: str) -> str:
    marks = normalize("NFD", letter)
    tone = next((mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"), "")
    return normalize("NFC", marks.replace(tone, "")) + tone if tone else letter


def _no_charset(text: str) -> bytes:
    return _part("", text.encode(), "8bit")


ENCODINGS: tuple[Callable[[str], bytes], ...] = (
    lambda text: _part("utf-8", text.encode()),
    lambda text: _part("utf-8", text.encode(), "8bit"),
    lambda text: _part("utf-8", normalize("NFD", text).encode()),
    lambda text: _part("utf-16", text.encode("utf-16")),
    _windows_1258,
    _no_charset,
    _html,
    _with_attachment,
)


def composed() -> dict[str, bytes]:
    """Every file of the feed by its path below the sample."""
    directory = read_rules(HERE / "directory.yaml", RULE_FILES["directory"])
    if not isinstance(directory, Directory):
        raise TypeError(type(directory).__name__)
    composer = Composer(directory)
    composer.compose()
    return dict(composer.files())


def main() -> None:
    shutil.rmtree(HERE / "feed", ignore_errors=True)
    for path, content in composed().items():
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_bytes(content)


if __name__ == "__main__":
    main()
