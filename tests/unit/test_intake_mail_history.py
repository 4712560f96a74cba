"""What a person says is told from what is quoted below it; in doubt it was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.mail import read_mail
from services.intake.domain.mail.history import said
from tests.examples_intake import mail

SAID = "Tôi vẫn chưa nhận được kết quả.\n- Hồ sơ nộp ngày 02/3\n- Đã hẹn lại ba lần"
QUOTED = "> Kính chào ông,\n> hồ sơ đang được xem xét.\n"
OUTLOOK = "Từ: Bộ phận một cửa <motcua@example.vn>\n{sent}\nTới: Trần Thị B\n{subject}\n\nKính chào"

HISTORIES = {
    "gmail": f"Vào Th 2, 11 thg 5, 2026 vào lúc 09:12 Một cửa <a@example.vn> đã viết:\n\n{QUOTED}",
    "gmail cut in two": f"Vào Th 2, 11 thg 5, 2026 vào lúc 09:12 Bộ phận một cửa\n<a@example.vn> đã viết:\n{QUOTED}",
    "gmail without marks": "Vào 09:12, 11 thg 5, 2026, Một cửa <a@example.vn> đã viết:\n\nKính chào",
    "apple": f"On May 11, 2026, at 09:12, Mot cua <a@example.vn> wrote:\n\n{QUOTED}",
    "thunderbird": f"Vào 11/05/2026 09:12, Bộ phận một cửa đã viết:\n{QUOTED}",
    "yahoo": f"Vào Thứ Hai, 11 tháng 5, 2026 lúc 09:12:10 GMT+7, A <a@example.vn> đã viết:\n\n{QUOTED}",
    "outlook": OUTLOOK.format(sent="Đã gửi: 11 Tháng Năm 2026 9:12", subject="Chủ đề: Hồ sơ"),
    "outlook bold": OUTLOOK.format(sent="*Ngày:* 11/5/2026", subject="*Tiêu đề:* Hồ sơ"),
    "outlook ruled": "________________________________\nFrom: A <a@example.vn>\nSent: Monday, May 11, 2026\nTo: B\nSubject: x\n\nKính chào",
    "outlook with blanks": "From: A\n\nSent: Monday\n\nTo: B\n\nSubject: x\n\nKính chào",
    "original": "-----Original Message-----\nFrom: A\nKính chào",
    "original in Vietnamese": "----- Thư gốc -----\nKính chào",
    "marks alone": QUOTED,
    "signature": "-- \nTrần Thị B\nĐT: 0900 000 000",
    "signature without a blank": "--\nTrần Thị B",
    "telephone": "Đã gửi từ iPhone của tôi",
    "telephone in English": "Sent from my iPhone",
    "programs": "Gửi từ Mail dành cho Windows",
    "signature before history": f"-- \nTrần Thị B\n\nOn May 11, 2026, A <a@example.vn> wrote:\n{QUOTED}",
}  # fmt: skip


@pytest.mark.parametrize("kind", HISTORIES)
def test_what_is_quoted_or_signed_was_not_said(kind):
    assert said(f"{SAID}\n\n{HISTORIES[kind]}") == SAID


@pytest.mark.parametrize(
    "text",
    [
        SAID,
        "Vào ngày 03/4/2026, cán bộ tiếp nhận đã viết:\nhồ sơ không hợp lệ",
        "Ngày 03/4/2026 ông A (a@example.vn) đã viết:\nhồ sơ không hợp lệ",
        "Từ: phường Trúc Xanh\nTôi phản ánh việc sau.",
        "Tôi hỏi:\n-- lần một\n-- lần hai",
        "--\n" + "một dòng\n" * 20 + "hết",
        "Đã gửi từ tháng 3 nhưng chưa có trả lời",
        "Giá 5 > 3 và 2 < 4",
        "Họ gửi từ điện thoại lạ cho tôi.\nMong được xem xét.",
    ],
)
def test_what_only_looks_like_history_was_said(text):
    assert said(f"Kính gửi.\n{text}") == f"Kính gửi.\n{text}"


@pytest.mark.parametrize("text", [QUOTED, HISTORIES["outlook"], HISTORIES["signature"]])
def test_where_nothing_else_is_left_all_was_said(text):
    assert said(text) == text


def test_an_answer_between_the_quotations_was_said():
    text = f"On May 11, 2026, A wrote:\n{QUOTED}Không đúng.\n> còn gì?\nCòn."

    assert said(text) == "Không đúng.\nCòn."


@pytest.mark.parametrize("subject", ["Fwd: Hồ sơ", "FW: Hồ sơ", "Chuyển tiếp: Hồ sơ"])
def test_what_is_passed_on_was_said(subject):
    text = f"{SAID}\n\n{HISTORIES['outlook']}"

    assert said(text, subject) == text
    assert said(text, "Hồ sơ") == SAID


def test_the_whole_text_is_kept_beside():
    read = read_mail(mail(f"{SAID}\n\n{QUOTED}"))

    assert (read.said.splitlines()[0], QUOTED.splitlines()[0] in read.text) == (
        SAID.splitlines()[0],
        True,
    )
    assert ">" not in read.said


@given(
    st.lists(st.sampled_from([*HISTORIES.values(), SAID, "", ">", "--", "On 1 wrote:"])).map(
        "\n".join
    )
)
def test_something_was_said_wherever_there_is_a_text(text):
    assert bool(said(text).strip()) == bool(text.strip())
