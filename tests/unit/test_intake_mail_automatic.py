"""Who is taken for a machine is not heard: in doubt a person wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.mail import read_mail
from services.intake.domain.mail.automatic import LOOP_HEADER
from tests.examples_intake import mail

REPORT = (
    "--x\r\nContent-Type: text/plain\r\n\r\nKhong gui duoc\r\n"
    "--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; example.vn\r\n--x--\r\n"
)


def automatic(*headers: str, body: str = "Kính gửi", **more: str) -> str:
    return read_mail(mail(body, headers=headers, **more)).automatic


@pytest.mark.parametrize(
    ("reason", "header"),
    [
        ("loop", f"{LOOP_HEADER}: 1"),
        ("bounce", "Content-Type: multipart/report; report-type=delivery-status; boundary=x"),
        ("bounce", "X-Failed-Recipients: a@example.vn"),
        ("auto-reply", "Auto-Submitted: auto-replied"),
        ("auto-reply", "Auto-Submitted: Auto-Replied; owner-email=a@example.vn"),
        ("auto-reply", "Auto-Submitted: auto-replied (vacation)"),
        ("auto-reply", "Precedence: auto_reply"),
        ("auto-reply", "X-Autoreply: yes"),
        ("auto-reply", "X-Autorespond: Re: thư"),
        ("auto-reply", "Content-Type: multipart/report; report-type=disposition-notification"),
        ("generated", "Auto-Submitted: auto-generated"),
        ("generated", "Auto-Submitted: auto-notified"),
        ("generated", "Return-Path: <>"),
        ("generated", "Return-Path: <MAILER-DAEMON@example.vn>"),
        ("generated", "Content-Type: multipart/report; report-type=feedback-report; boundary=x"),
    ],
)
def test_one_plain_sign_tells_a_machine(reason, header):
    assert automatic(header) == reason


def test_a_report_is_a_bounce_by_its_parts_alone():
    assert automatic("Content-Type: multipart/report; boundary=x", body=REPORT) == "bounce"


def test_a_mailer_daemon_reports():
    assert automatic(sender="Mail Delivery System <MAILER-DAEMON@mx.example.vn>") == "bounce"


@pytest.mark.parametrize(
    "subject", ["Undelivered Mail Returned to Sender", "Thư bị trả lại: phản ánh"]
)
def test_a_subject_tells_what_a_machine_says(subject):
    assert automatic("Return-Path: <>", subject=subject) == "bounce"
    assert automatic(subject=subject) == ""


@pytest.mark.parametrize(
    "subject",
    ["Automatic reply: Phản ánh", "Out of Office: hỏi", "Trả lời tự động: Phản ánh",
     "Tự động trả lời", "Thư trả lời tự động", "Thông báo nghỉ phép"],
)  # fmt: skip
def test_a_subject_tells_an_absence_only_beside_another_sign(subject):
    assert automatic("Precedence: bulk", subject=subject) == "auto-reply"
    assert automatic("Auto-Submitted: auto-generated", subject=subject) == "auto-reply"
    assert automatic(subject=subject) == ""


@pytest.mark.parametrize(
    "headers",
    [
        ("Auto-Submitted: no",),
        ("X-Autoreply: no",),
        ("Precedence: bulk",),
        ("Precedence: list", "List-Id: <dan.example.vn>", "List-Unsubscribe: <mailto:u@example.vn>",
         "List-Post: <mailto:dan@example.vn>"),
        ("List-Unsubscribe: <https://example.vn/u>", "List-Id: <dan.example.vn>"),
        ("X-Loop: dan@example.vn",),
        ("X-Auto-Response-Suppress: All",),
        ("X-MS-Exchange-Inbox-Rules-Loop: a@example.vn",),
        ("Return-Path: <tranthib@example.vn>",),
        ("Return-Path: ",),
        ("X-Mailer: PHPMailer",),
    ],
)  # fmt: skip
def test_what_people_s_mails_carry_tells_nothing(headers):
    assert automatic(*headers) == ""


def test_a_sender_to_many_whom_nobody_may_answer_is_a_list():
    many = ("Precedence: bulk", "List-Unsubscribe: <https://example.vn/u>")

    assert automatic(*many) == "list"
    assert automatic(*many, "List-Post: NO (announcements)") == "list"


WEAK = ["Precedence: list", "Precedence: bulk", "List-Id: <a.example.vn>", "X-Loop: a@example.vn",
        "X-Auto-Response-Suppress: All", "List-Post: <mailto:a@example.vn>", "Sender: bot@example.vn",
        "In-Reply-To: <a@example.vn>", "X-Mailer: bulk", "Auto-Submitted: no"]  # fmt: skip


@given(st.sets(st.sampled_from(WEAK)))
def test_weak_signs_never_silence_a_person_together(headers):
    assert automatic(*headers, subject="Tố cáo cán bộ vắng mặt, nghỉ phép dài ngày") == ""
