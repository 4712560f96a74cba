"""Real mails of twenty origins: read without an error, and as independent parsers read them."""

import json
import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from services.intake.domain.mail import Attachment, Mail, read_mail

pytestmark = pytest.mark.corpus

FOLDER = os.environ.get("LANGNGHE_CORPUS", "")
if not FOLDER:
    pytest.skip("LANGNGHE_CORPUS names no folder", allow_module_level=True)
CORPUS = Path(FOLDER)
MAILS = json.loads((CORPUS / "MANIFEST.json").read_text())["mails"]
VIETNAMESE = json.loads((CORPUS / "vietnamese-derived" / "EXPECTED.json").read_text())


def squeezed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def fits(mail: Mail, fact: str, value: object) -> bool:
    match fact:
        case "from":
            return mail.from_address == value
        case "subject":
            return same(squeezed(mail.subject), squeezed(str(value or "")))
        case "message_id":
            return (mail.message_id or "").strip("<>") == str(value or "").strip("<>")
        case "date_utc":
            date = mail.date.strftime("%Y-%m-%dT%H:%M:%SZ") if mail.date else None
            return date == value
        case "text_prefix":  # of the first plain part; a mail in HTML alone has none
            return same("".join(mail.text.split()), "".join(squeezed(str(value or "")).split()))
        case "attachment_count":
            return len(listed(mail)) == value
        case "attachment_names":
            names = sorted(squeezed(a.name) for a in listed(mail))
            theirs = sorted(squeezed(name or "") for name in value)
            return len(names) == len(theirs) and all(map(same, names, theirs))
    raise KeyError(fact)


def listed(mail: Mail) -> list[Attachment]:
    """Without attached mails themselves: the other parsers list only what they hold."""
    return [a for a in mail.attachments if a.found_type != "message/rfc822"]


def same(ours: str, theirs: str) -> bool:
    """Up to the first letter that the other parsers lost and ours may know."""
    for here, there in zip(ours, theirs, strict=False):
        if here != there:
            return there in "?\ufffd\0" and not here.isascii()
    return len(ours) >= len(theirs)


def test_agreed_facts_are_read_as_other_parsers_read_them():
    right, asked, wrong = Counter(), Counter(), []
    for path, facts in MAILS.items():
        mail = read_mail((CORPUS / path).read_bytes())
        for fact, value in facts["agreed"].items():
            asked[fact] += 1
            if fits(mail, fact, value):
                right[fact] += 1
            else:
                wrong.append((fact, path))
    rates = {fact: right[fact] / count for fact, count in asked.items()}
    print({fact: f"{right[fact]}/{count}" for fact, count in asked.items()})
    for line in wrong:
        print(*line)

    assert {fact: rate for fact, rate in rates.items() if rate < 0.995} == {}


@pytest.fixture(scope="module")
def read() -> dict[str, Mail]:
    return {path: read_mail((CORPUS / path).read_bytes()) for path in MAILS}


def strings(mail: Mail) -> list[str]:
    single = (
        mail.from_address,
        mail.from_name,
        mail.subject,
        mail.message_id,
        mail.text,
        mail.said,
    )
    several = (mail.to, mail.references, (mail.in_reply_to,))
    attached = [value for a in mail.attachments for value in (a.name, a.content_type, a.within)]
    return [s for s in (*single, *(s for many in several for s in many), *attached) if s]


def test_no_text_holds_a_replacement_character_without_a_flag(read):
    lost = {path for path, mail in read.items() if any("\ufffd" in s for s in strings(mail))}

    assert {path for path in lost if not read[path].flags} == set()


def test_no_nul_or_surrogate_comes_out(read):
    for mail in read.values():
        for string in strings(mail):
            string.encode("utf-8")  # refuses surrogates
            assert "\0" not in string


def test_an_author_in_dispute_is_flagged_or_read_as_most_read_him(read):
    for path, facts in MAILS.items():
        votes = list(facts["disputed"].get("from", {}).values())
        if votes:
            assert read[path].flags or votes.count(read[path].from_address) > 1, path


def test_machines_are_few_and_people_stay_people(read):
    machines = {path: mail.automatic for path, mail in read.items() if mail.automatic}
    print(Counter(machines.values()))
    for path, reason in machines.items():
        print(reason, path)

    assert Counter(machines.values()) == {
        "bounce": 18, "generated": 5, "auto-reply": 4, "list": 2
    }  # fmt: skip
    assert [p for p in machines if p.startswith(("spamassassin/", "vietnamese"))] == []


def test_what_was_said_is_never_empty_beside_a_text(read):
    assert [path for path, mail in read.items() if bool(mail.said) != bool(mail.text)] == []


@pytest.mark.parametrize("case", VIETNAMESE, ids=lambda case: case["kind"])
def test_vietnamese_comes_out_exactly_or_is_flagged(case):
    mail = read_mail((CORPUS / case["file"]).read_bytes())

    exact = squeezed(mail.subject) == squeezed(case["subject_nfc"]) and squeezed(
        mail.text
    ) == squeezed(case["body_nfc"])
    names = [a.name for a in mail.attachments]
    assert exact or (case["must"] != "exact" and mail.flags)
    assert names == [n if isinstance(n, str) else n["name"] for n in case["attachments"]]
