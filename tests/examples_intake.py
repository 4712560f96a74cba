"""Builders for intake's tests: a small province, its rules, what agencies send, and mails."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from services.intake.domain.classify import Stated
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.contracts.directory import Agency, Body, Directory, Jurisdiction, Label, Office, Unit
from shared.contracts.rulebook import CategoryRule, EligibilityRule, KindRule, Rulebook
from shared.contracts.vocabulary import Form, Kind, Signatures
from shared.runtime.arrival import Arrival
from shared.runtime.sealing import Opener

NOON = datetime(2026, 5, 11, 5, 0, tzinfo=UTC)
"""Monday, noon in Vietnam."""
TODAY = date(2026, 5, 11)
LONG_AGO = date(2018, 2, 2)
FINGERPRINTS = b"f" * 32
INTAKE_KEY = Opener(b"i" * 32)
REGULATION = "Quy định 124-QĐ/TW ngày 02/02/2018"


def label(text: str) -> Label:
    return Label(vi=text)


def cited(code: str, **more: Any) -> dict[str, Any]:
    rule = {"code": code, "citation": REGULATION, "issued": LONG_AGO, "effective_from": LONG_AGO}
    return rule | more


def unit(code: str, name: str, **more: Any) -> Unit:
    return Unit(code=code, name=label(name), level=more.pop("level", 3), **more)


def office(code: str, title: str, of: str, **more: Any) -> Office:
    return Office(code=code, title=label(title), unit=of, rank=more.pop("rank", "head"), **more)


def directory(**more: Any) -> Directory:
    content: dict[str, Any] = {
        "title": label("Tỉnh Vạn Xuân (hư cấu)"),
        "units": (
            unit("van-xuan", "Tỉnh Vạn Xuân", level=1),
            unit("an-thai", "Phường An Thái", aliases=("P. An Thái",)),
            unit("so-y-te", "Sở Y tế", level=2),
            unit("so-xay-dung", "Sở Xây dựng", level=2),
        ),
        "agencies": (
            Agency(code="a017", unit="an-thai"),
            Agency(code="a018", unit="so-y-te"),
            Agency(code="a019", unit="van-xuan"),
        ),
        "bodies": (
            Body(
                code="mat-tran-tinh",
                name=label("Ủy ban Mặt trận Tổ quốc tỉnh"),
                kind="front",
                unit="van-xuan",
                jurisdictions=(Jurisdiction(unit="van-xuan"),),
            ),
        ),
        "offices": (
            office("chu-tich-an-thai", "Chủ tịch Ủy ban nhân dân", "an-thai"),
            office("giam-doc-y-te", "Giám đốc", "so-y-te", aliases=("Giám đốc ngành y",)),
            office("giam-doc-xay-dung", "Giám đốc", "so-xay-dung"),
        ),
        "fallback_body": "mat-tran-tinh",
    }
    return Directory(**(content | more))


def rulebook(**more: Any) -> Rulebook:
    content: dict[str, Any] = {
        "title": label("Bộ quy tắc (hư cấu)"),
        "kinds": (
            KindRule(**cited("to-cao", kind=Kind.DENUNCIATION, keywords=("tố cáo",))),
            KindRule(**cited("khieu-nai", kind=Kind.COMPLAINT, keywords=("khiếu nại",))),
        ),
        "default_kind": Kind.REFLECTION,
        "categories": (
            CategoryRule(**cited("duty", label=label("Nhiệm vụ"), keywords=("hẹn lại", "chậm"))),
            CategoryRule(**cited("culture", label=label("Văn hóa"), keywords=("thái độ",))),
        ),
        "default_category": "other",
        "eligibility": (
            EligibilityRule(
                **cited("stored-unreadable", label=label("Không đọc được"), readable=False)
            ),
            EligibilityRule(
                **cited(
                    "stored-anonymous",
                    label=label("Nặc danh"),
                    citation="Luật Tố cáo 2018, Điều 25",
                    kinds=(Kind.DENUNCIATION,),
                    signatures=(Signatures.OTHER,),
                    names_object=False,
                )
            ),
        ),
        "competence": (),
        "conflicts": (),
        "clocks": (),
        "activity_forms": (),
        "periods": (),
    }
    return Rulebook(**(content | more))


def directory_published(version: int = 1, **more: Any) -> DirectoryPublished:
    return DirectoryPublished(version=version, directory=directory(**more))


def rulebook_published(version: int = 1, **more: Any) -> RulebookPublished:
    return RulebookPublished(version=version, rulebook=rulebook(**more))


def circumstances(**more: Any) -> dict[str, Any]:
    """What classification is told beside the words."""
    return {
        "on": TODAY,
        "form": Form.TELEPHONE,
        "signatures": Signatures.ONE,
        "readable": True,
        "stated": Stated(),
        "unit": "an-thai",
    } | more


def call(**more: Any) -> dict[str, Any]:
    return {"call": "1778463730.42", "caller": "0900000017", "note": "Hồ sơ bị hẹn lại."} | more


def letter(**more: Any) -> dict[str, Any]:
    return {"register_number": "457/2026", "summary": "Đơn khiếu nại.", "signatures": 1} | more


def mail_event(raw: bytes) -> dict[str, Any]:
    return {"raw": b64encode(raw).decode()}


def sent(
    type_: str,
    data: dict[str, Any],
    *,
    item: str = "item-1",
    agency: str = "a017",
    sequence: int = 1,
    number: str | None = None,
    **envelope: Any,
) -> Arrival:
    """An agency's event as it lies in the stream; `envelope` overrides attributes.

    `sequence` is the stream's, `number` the agency's own.
    """
    if number:
        envelope["sequence"] = number
    event = {
        "specversion": "1.0",
        "id": item,
        "source": f"/agencies/{agency}",
        "type": type_,
        "time": "2026-05-11T08:42:10+07:00",
        "data": data,
    } | envelope
    return Arrival(
        entrance="feed",
        party=agency,
        type=type_,
        body=orjson.dumps(event),
        sequence=sequence,
        recorded=NOON + timedelta(seconds=sequence),
    )


def mail(
    body: str | bytes = "Hồ sơ bị hẹn lại lần thứ ba.",
    *,
    message_id: str | None = "<thu-1@example.vn>",
    subject: str | bytes = "Phản ánh",
    sender: str | bytes = "Trần Thị B <tranthib@example.vn>",
    headers: tuple[str | bytes, ...] = ("Content-Type: text/plain; charset=utf-8",),
    date_: str | None = "Mon, 11 May 2026 08:42:10 +0700",
) -> bytes:
    """A mail by hand, in raw UTF-8 where nothing else is asked."""
    lines = [b"From: " + as_bytes(sender), b"To: hopthu@anthai.example.vn"]
    lines.append(b"Subject: " + as_bytes(subject))
    if date_:
        lines.append(b"Date: " + date_.encode())
    if message_id:
        lines.append(b"Message-ID: " + message_id.encode())
    lines += [as_bytes(header) for header in headers]
    return b"\r\n".join((*lines, b"", as_bytes(body), b""))


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
