"""What the lanes are fed: calls of about 1 KB and mails, each with other words, none drawn anew.

The same number gives the same item, so that a run can be repeated; `run` tells runs apart.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import orjson

from deploy.sample import phrases
from shared.contracts import HotlineCallLogged
from shared.contracts.directory import Directory, OfficeRank
from shared.contracts.vocabulary import Channel

BYTES = 1_024
"""Of one call's event, as it is sent."""
LATIN = ("b", "c", "d", "g", "h", "kh", "l", "m", "n", "ng", "ph", "qu", "s", "t", "th", "tr", "v")
RHYMES = (
    "a",
    "ai",
    "anh",
    "ao",
    "âm",
    "ất",
    "ên",
    "ich",
    "iêu",
    "oan",
    "ong",
    "ưng",
    "ươi",
    "uyên",
)


class Load:
    """Items about the offices of this directory, from its agencies in turn."""

    def __init__(self, directory: Directory) -> None:
        self._heads = [o.title.vi for o in directory.offices if o.rank is OfficeRank.HEAD]
        self._agencies = [a.code for a in directory.agencies]
        self._mailboxes = [
            channel.address
            for agency in directory.agencies
            for channel in agency.channels
            if channel.channel is Channel.MAILBOX
        ]
        self._at = datetime.now(UTC).isoformat()

    def agency(self, number: int) -> str:
        return self._agencies[number % len(self._agencies)]

    def subject(self, number: int) -> str:
        return f"feed.{self.agency(number)}.{HotlineCallLogged.TYPE}"

    def call(self, run: str, number: int) -> bytes:
        """A call as an event of `BYTES` bytes, give or take a word."""
        data = {"call": f"{run}.{number}", "caller": f"0999{number:08}", "note": ""}
        event = {
            "specversion": "1.0",
            "id": f"{run}-{number}",
            "source": f"/agencies/{self.agency(number)}",
            "type": HotlineCallLogged.TYPE,
            "time": self._at,
            "datacontenttype": "application/json",
            "data": data,
        }
        data["note"] = self._text(run, number, BYTES - len(orjson.dumps(event)))
        return orjson.dumps(event)

    def calls(self, run: str, numbers: Sequence[int]) -> list[tuple[str, bytes]]:
        """Subject and body of each."""
        return [(self.subject(number), self.call(run, number)) for number in numbers]

    def mail(self, run: str, number: int) -> tuple[str, bytes]:
        """The mailbox and a mail to it, as a mail server hands it over: CR LF, Base64 in UTF-8."""
        to = self._mailboxes[number % len(self._mailboxes)]
        body = b64encode(self._text(run, number, BYTES).encode())
        lines = [body[start : start + 76] for start in range(0, len(body), 76)]
        head = (
            f"From: nguoidan{number}@thudientu.example\r\n"
            f"To: {to}\r\n"
            "Subject: =?utf-8?b?UGjhuqNuIMOhbmg=?=\r\n"
            f"Date: {datetime.now(UTC):%a, %d %b %Y %H:%M:%S +0000}\r\n"
            f"Message-ID: <{run}-{number}@thudientu.example>\r\n"
            "MIME-Version: 1.0\r\n"
            'Content-Type: text/plain; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n"
        )
        return to, head.encode() + b"\r\n".join(lines) + b"\r\n"

    def _text(self, run: str, number: int, room: int) -> str:
        """A matter about an office, then words that no two items share; `room` bytes of UTF-8."""
        draw = Random(f"{run}/{number}")  # noqa: S311 - a load, no secret
        said = draw.choice(phrases.MATTERS).format(office=draw.choice(self._heads))
        words, length = [said], len(said.encode())
        while True:
            word = draw.choice(LATIN) + draw.choice(RHYMES)
            length += len(word.encode()) + 1
            if length > room:
                return " ".join(words)
            words.append(word)
