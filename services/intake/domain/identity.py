"""Parts who spoke from what was said, before either is kept."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from services.intake.domain.mail import Mail
from services.intake.domain.receipt import without_codes
from shared.contracts import (
    FormSubmitted,
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    MailboxMessageArrived,
)
from shared.contracts.ingress import Enclosure, Reporter
from shared.contracts.vocabulary import Channel, Form, Signatures


@dataclass(frozen=True, slots=True)
class Parted:
    """`identity` and `text` are sealed apart; `words` is what classification reads."""

    identity: dict[str, Any]
    text: dict[str, Any]
    words: str
    readable: bool
    signatures: Signatures
    form: Form
    channel: Channel

    @property
    def files(self) -> int:
        """How many files came with it."""
        return len(self.text.get("files", self.text.get("attachments", ())))


def part(data: IngressData, mail: Mail | None) -> Parted:
    """Part one item; `mail` is given for a mailbox message, as read from its bytes."""
    match data:
        case MailboxMessageArrived() if mail is not None:
            return _mail(mail)
        case HotlineCallLogged():
            return Parted(
                identity={"caller": data.caller, "call": data.call} | _reporter(data.reporter),
                text={"note": without_codes(data.note)}
                | ({"recording": file_facts(data.recording)} if data.recording else {}),
                words=data.note,
                readable=_readable(data.note),
                signatures=_signed(data.reporter.name if data.reporter else None),
                form=Form.TELEPHONE,
                channel=Channel.HOTLINE,
            )
        case FormSubmitted():
            return Parted(
                identity=_reporter(data.reporter),
                text={
                    "text": without_codes(data.text),
                    "files": [file_facts(f) for f in data.attachments],
                },
                words=data.text,
                readable=_readable(data.text) or bool(data.attachments),
                signatures=_signed(data.reporter.name if data.reporter else None),
                form=Form.WEB_FORM,
                channel=Channel.WEB_FORM,
            )
        case LetterRegistered():
            return _letter(data)
    raise TypeError(type(data).__name__)


def _mail(mail: Mail) -> Parted:
    words = f"{mail.subject}\n{mail.said or mail.text}"
    return Parted(
        identity={
            "from": mail.from_address,
            "name": mail.from_name,
            "to": list(mail.to),
            "message_id": mail.message_id,
            "in_reply_to": mail.in_reply_to,
            "references": list(mail.references),
        },
        text={
            "subject": without_codes(mail.subject),
            "date": mail.date.isoformat() if mail.date else None,
            "text": without_codes(mail.text),
            **({"said": without_codes(mail.said)} if mail.said != mail.text else {}),
            "attachments": [asdict(attachment) for attachment in mail.attachments],
        },
        words=words,
        readable=_readable(words) or bool(mail.attachments),
        signatures=_signed(mail.from_name),
        form=Form.EMAIL,
        channel=Channel.MAILBOX,
    )


def _letter(letter: LetterRegistered) -> Parted:
    signatures = Signatures.OTHER
    if letter.signatures == 1:
        signatures = Signatures.ONE
    if letter.signatures > 1:
        signatures = Signatures.SEVERAL
    form = Form.SIGNED_LETTER if letter.signatures else Form.UNSIGNED_LETTER
    return Parted(
        identity=_reporter(letter.reporter),
        text={"summary": without_codes(letter.summary), "register_number": letter.register_number},
        words=letter.summary,
        readable=_readable(letter.summary),
        signatures=signatures,
        form=Form.IN_PERSON if letter.in_person else form,
        channel=Channel.PAPER_BOX if letter.paper_box else Channel.LETTER,
    )


def _reporter(reporter: Reporter | None) -> dict[str, Any]:
    return {"reporter": reporter.model_dump(exclude_none=True)} if reporter else {}


def _signed(name: str | None) -> Signatures:
    """Calls, mails and forms bear no signature: whoever gives a name counts as one."""
    return Signatures.ONE if name and name.strip() else Signatures.OTHER


def _readable(words: str) -> bool:
    return any(character.isalpha() for character in words)


def file_facts(file: Enclosure) -> dict[str, Any]:
    """What is told of a file without opening it."""
    return {
        "name": file.name,
        "content_type": file.content_type,
        "size": len(file.content),
        "sha256": sha256(file.content).hexdigest(),
    }
