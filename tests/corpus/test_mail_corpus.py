"""Real mails of twenty origins: read without an error, and as independent parsers read them."""

import json
import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from services.intake.domain.mail import Mail, read_mail

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
            return len(mail.attachments) == value
        case "attachment_names":
            names = sorted(squeezed(a.name) for a in mail.attachments)
            theirs = sorted(squeezed(name or "") for name in value)
            return len(names) == len(theirs) and all(map(same, names, theirs))
    raise KeyError(fact)


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


def test_no_text_holds_a_replacement_character_without_a_flag():
    silent = []
    for path in MAILS:
        mail = read_mail((CORPUS / path).read_bytes())
        if "\ufffd" in mail.text + mail.subject and not mail.flags:
            silent.append(path)

    assert silent == []


@pytest.mark.parametrize("case", VIETNAMESE, ids=lambda case: case["kind"])
def test_vietnamese_comes_out_exactly_or_is_flagged(case):
    mail = read_mail((CORPUS / case["file"]).read_bytes())

    exact = squeezed(mail.subject) == squeezed(case["subject_nfc"]) and squeezed(
        mail.text
    ) == squeezed(case["body_nfc"])
    names = [a.name for a in mail.attachments]
    assert exact or (case["must"] != "exact" and mail.flags)
    assert names == [n if isinstance(n, str) else n["name"] for n in case["attachments"]]
