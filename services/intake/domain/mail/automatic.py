"""Whether a machine wrote a mail, and which kind of one. In doubt a person did.

Whoever is taken for a machine is not heard, so a single weak sign is none: mailing lists, forms
on the web and the mail programs of offices leave the same traces as machines do.
"""

import re
from email.message import Message

from services.intake.domain.mail.headers import all_of, first, text_of

LOOP_HEADER = "X-Langnghe-Loop"
"""Stands in every mail that we send; one that comes back with it goes in circles."""

PERSON, AUTO_REPLY, BOUNCE, LOOP, LIST, GENERATED = (
    *("", "auto-reply", "bounce", "loop", "list", "generated"),
)

NOTHING_SAID = frozenset({AUTO_REPLY, BOUNCE, LOOP})
"""Kinds in which nobody says anything new: they become no submission."""

_TOKEN = re.compile(r"\s*([a-z-]+)", re.IGNORECASE)
_ANSWERS = ("x-autoreply", "x-autorespond", "x-auto-reply-from", "x-mail-autoreply")
_NO = ("", "no", "none")
_ENVELOPE = re.compile(r"^\s*<\s*(?:>|mailer-daemon\b)", re.IGNORECASE)
"""RFC 5321, section 4.5.5: whoever sends so wants no answer."""

_DAEMON = re.compile(r"(?:^|[<\s\"])mailer-daemon(?:@|>|\s|$)", re.IGNORECASE)
_AWAY = re.compile(
    r"(?:\[[^\]]{1,40}\]\s*)?(?:automatic reply|auto[- ]?reply|auto:|autoreply|auto[- ]response|"
    r"out of (?:the )?office|vacation (?:reply|notice)|"
    r"(?:thư )?(?:trả lời|phản hồi) tự động|tự động (?:trả lời|phản hồi)|"
    r"thông báo (?:vắng mặt|nghỉ phép|đi vắng)|hiện (?:tôi )?(?:đang )?vắng mặt)",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"(?:undeliver(?:ed|able)|returned mail|failure notice|mail delivery (?:failed|failure|system)|"
    r"delivery status notification|(?:delivery|message) (?:failure|delayed)|"
    r"không gửi được|thư (?:bị )?trả lại|gửi thư không thành công)",
    re.IGNORECASE,
)


def reason(message: Message) -> str:
    """Why no person is taken to have written it; empty if one is.

    `loop`: we wrote it ourselves. `bounce`: a server says what became of another mail (RFC 3464).
    `auto-reply`: a mailbox answers for its owner (RFC 3834, RFC 8098). These three say nothing
    new. `generated` (RFC 3834, section 5.1) and `list` (a sender to many whom nobody may answer)
    are sent by machines, but what they say may be a person's, as a form's on the web is: they
    must not be answered, and must be read.
    """
    if LOOP_HEADER in message:
        return LOOP
    if _reports_delivery(message) or "x-failed-recipients" in message or _from_daemon(message):
        return BOUNCE
    submitted, precedence = _token(message, "auto-submitted"), _token(message, "precedence")
    machine = submitted not in _NO or any(map(_ENVELOPE.search, all_of(message, "return-path")))
    subject = text_of(first(message, "subject") or "").text
    if machine and _FAILED.match(subject):
        return BOUNCE
    if (
        submitted == "auto-replied"
        or precedence == "auto-reply"
        or any(_token(message, name) not in _NO for name in _ANSWERS)
        or _report_type(message) == "disposition-notification"
        or (_AWAY.match(subject) and (machine or precedence in ("bulk", "junk")))
    ):
        return AUTO_REPLY
    if machine or message.get_content_type() == "multipart/report":
        return GENERATED
    if precedence in ("bulk", "junk", "list") and _to_many(message):
        return LIST
    return PERSON


def _token(message: Message, name: str) -> str:
    found = _TOKEN.match((first(message, name) or "").replace("_", "-"))
    return found[1].lower() if found else ""


def _from_daemon(message: Message) -> bool:
    """The name under which servers write about other mails."""
    return any(map(_DAEMON.search, all_of(message, "from")))


def _report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    return str(message.get_param("report-type", "")).strip().lower()


def _reports_delivery(message: Message) -> bool:
    """RFC 3464: by its parameter, or by the part in which it reports."""
    if _report_type(message) == "delivery-status":
        return True
    parts = message.get_payload() if message.get_content_type() == "multipart/report" else []
    return any(
        isinstance(part, Message) and part.get_content_type() == "message/delivery-status"
        for part in parts
    )


def _to_many(message: Message) -> bool:
    """Sent to a list on which nobody but its owner writes: RFC 2369 names where others may."""
    posting = (first(message, "list-post") or "no").strip().lower()
    return "list-unsubscribe" in message and posting.startswith("no")
