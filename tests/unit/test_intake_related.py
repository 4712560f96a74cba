"""The same matter in other words is suggested; what merely sounds official is not."""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.sample import phrases
from services.intake.domain.fold import fold
from services.intake.domain.related import (
    ALGORITHM,
    BANDS,
    RELATED,
    SLOTS,
    bands,
    score,
    signature,
)

KEY = b"k" * 32
TOLD = (
    "Tôi xin phản ánh việc cấp giấy chứng nhận quyền sử dụng đất tại phường An Thái. "
    "Hồ sơ của gia đình tôi đã nộp từ tháng hai, được hẹn trả kết quả sau ba mươi ngày, "
    "nhưng đến nay đã bốn tháng vẫn chưa có kết quả. Khi hỏi thì cán bộ ở bộ phận một cửa "
    "nói là lãnh đạo đi vắng, chưa ký được. Nhiều hộ trong tổ dân phố cũng bị như vậy."
)
OTHERWISE = (
    "Tôi muốn phản ánh việc cấp giấy chứng nhận quyền sử dụng đất tại phường An Thái. "
    "Hồ sơ của nhà tôi đã nộp từ tháng hai, được hẹn trả kết quả sau ba mươi ngày, "
    "mà đến nay đã bốn tháng vẫn chưa có kết quả. Hỏi thì cán bộ ở bộ phận một cửa "
    "trả lời là lãnh đạo đi vắng, chưa ký được. Nhiều hộ trong tổ dân phố cũng bị thế."
)
BY_ANOTHER = (
    "Kính gửi quý cơ quan. Tôi là người cùng tổ dân phố với ông bạn đã viết đơn. Nhiều hộ trong "
    "tổ dân phố chúng tôi nộp hồ sơ xin cấp giấy chứng nhận quyền sử dụng đất tại phường An Thái, "
    "được hẹn trả kết quả sau ba mươi ngày, nhưng đến nay vẫn chưa có kết quả. "
    "Khi hỏi thì cán bộ ở bộ phận một cửa nói là lãnh đạo đi vắng, chưa ký được."
)
ELSEWHERE = (
    "Bệnh viện đa khoa thu tiền giường bệnh cao hơn giá niêm yết. Người nhà tôi nằm sáu ngày, "
    "hóa đơn ghi hai loại phí khác nhau, hỏi phòng tài vụ thì không ai giải thích. Đề nghị "
    "kiểm tra việc thu phí và trả lời cho người bệnh được biết bằng văn bản."
)
GREETING, CLOSING = phrases.OPENINGS[1], phrases.CLOSINGS[1]


def bare(text: str) -> str:
    """As typed on a telephone without a Vietnamese keyboard."""
    marked = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in marked if not unicodedata.combining(c))


def compared(one: str, other: str) -> tuple[float, bool]:
    """The score, and whether an index would find one by the other."""
    a, b = signature(one, KEY), signature(other, KEY)
    return score(a, b), bool(set(bands(a)) & set(bands(b)))


class TestTheSameMatter:
    @pytest.mark.parametrize(
        "again",
        [
            pytest.param(bare(TOLD), id="without marks"),
            pytest.param(unicodedata.normalize("NFD", TOLD), id="decomposed"),
            pytest.param(TOLD.upper(), id="in capitals"),
            pytest.param(TOLD.replace(". ", "\n\n- "), id="in lines"),
            pytest.param(f"{TOLD}\n{TOLD}", id="pasted twice"),
        ],
    )
    def test_how_it_is_typed_makes_hardly_a_difference(self, again):
        likeness, found = compared(TOLD, again)

        assert likeness >= 0.9
        assert found

    @pytest.mark.parametrize(
        "again",
        [
            pytest.param(f"{GREETING}\n\n{TOLD}\n\n{CLOSING}", id="greeted"),
            pytest.param(bare(f"{GREETING} {OTHERWISE}"), id="paraphrased, greeted, without marks"),
            pytest.param(OTHERWISE, id="paraphrased"),
            pytest.param(BY_ANOTHER, id="by another sender"),
        ],
    )
    def test_the_same_matter_told_again_is_related(self, again):
        likeness, found = compared(TOLD, again)

        assert likeness >= RELATED
        assert found

    def test_a_short_matter_is_related_with_each_greeting(self):
        for matter in phrases.MATTERS:
            told = matter.format(office="Giám đốc Sở Y tế")
            for greeting in phrases.OPENINGS:
                likeness, found = compared(told, f"{greeting}\n\n{told}")

                assert likeness >= RELATED
                assert found


class TestAnotherMatter:
    def test_another_matter_is_not_related(self):
        assert compared(TOLD, ELSEWHERE) == (0.0, False)

    def test_greetings_alone_relate_nothing(self):
        framed = [f"{GREETING}\n{text}\n{CLOSING}" for text in (TOLD, ELSEWHERE)]

        assert compared(*framed)[0] < RELATED

    def test_other_matters_of_other_offices_are_not_related(self):
        every = (
            *phrases.MATTERS,
            *phrases.PETITIONS,
            *phrases.COMPLAINTS,
            *phrases.DENUNCIATIONS,
        )
        offices = ("Giám đốc Sở Y tế", "Chủ tịch Ủy ban nhân dân phường An Thái", "Chánh Thanh tra")
        told = [m.format(office=offices[n % 3]) for n, m in enumerate(every)]

        related = [
            (one, other)
            for one, other in itertools.combinations(told, 2)
            if compared(one, other)[0] >= RELATED
        ]

        assert related == []


class TestSignature:
    def test_it_is_the_same_on_every_machine(self):
        """Recorded: where this fails, every kept signature must be made anew from its text."""
        assert ALGORITHM == 2
        assert signature(TOLD, KEY)[:4] == (468429856, 3233982978, 1547165382, 195499309)
        assert bands(signature(TOLD, KEY))[0] == "ca37ecb929903c8a"

    def test_it_cannot_be_made_without_the_key(self):
        likeness = score(signature(TOLD, KEY), signature(TOLD, b"x" * 32))

        assert likeness < 0.1

    def test_no_word_of_the_text_is_in_it(self):
        assert len(signature(TOLD, KEY)) == SLOTS
        assert all(0 <= slot < 2**32 for slot in signature(TOLD, KEY))

    @pytest.mark.parametrize("text", ["", "Xin chào", "một hai ba bốn năm sáu bảy tám chín"])
    def test_a_text_too_short_to_tell_has_none(self, text):
        assert signature(text, KEY) == ()
        assert bands(()) == ()

    def test_a_word_repeated_is_too_short_to_tell(self):
        assert signature("alo " * 500, KEY) == ()

    def test_ten_words_are_enough(self):
        assert len(signature("một hai ba bốn năm sáu bảy tám chín mười", KEY)) == SLOTS

    @given(st.text(max_size=200))
    def test_every_text_has_an_answer(self, text):
        assert len(signature(text, KEY)) in (0, SLOTS)

    @given(st.text(st.sampled_from("aăâbcdđeêghi \n.,"), max_size=400))
    def test_folding_changes_nothing(self, text):
        assert signature(fold(text), KEY) == signature(text, KEY)


class TestScore:
    def test_a_text_is_wholly_like_itself(self):
        assert compared(TOLD, TOLD) == (1.0, True)

    def test_what_has_no_signature_is_like_nothing(self):
        assert score((), signature(TOLD, KEY)) == score(signature(TOLD, KEY), ()) == 0.0
        assert score((), ()) == 0.0

    def test_it_does_not_matter_which_came_first(self):
        a, b = signature(TOLD, KEY), signature(BY_ANOTHER, KEY)

        assert score(a, b) == score(b, a)

    def test_it_estimates_the_share_of_triples_in_common(self):
        """Half of the triples in common, within three standard deviations."""
        words = [f"từ{n}" for n in range(602)]
        one, other = " ".join(words[:402]), " ".join(words[200:])

        assert score(signature(one, KEY), signature(other, KEY)) == pytest.approx(1 / 3, abs=0.13)


class TestBands:
    def test_every_band_has_a_key_of_its_own(self):
        assert len(set(bands(signature(TOLD, KEY)))) == BANDS

    def test_equal_slots_in_two_bands_are_not_one_key(self):
        assert len(set(bands((7,) * SLOTS))) == BANDS

    def test_every_key_that_agrees_is_of_slots_that_agree(self):
        a, b = signature(TOLD, KEY), signature(OTHERWISE, KEY)

        for number, (one, other) in enumerate(zip(bands(a), bands(b), strict=True)):
            same = a[number * 3 : number * 3 + 3] == b[number * 3 : number * 3 + 3]
            assert (one == other) is same
