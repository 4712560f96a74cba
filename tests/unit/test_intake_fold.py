"""A text folds piece by piece to what it folds to as a whole."""

from hypothesis import example, given
from hypothesis import strategies as st

from services.intake.domain import fold

TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "đĐaăâeêoôơuưiyAÁÀẠẢÃ nghngtr.,-_0123\u0301\u0323\u0302\u00a0\u2003\n\tßİΣς"
        ),
        st.characters(),
    ),
    max_size=60,
)


@given(TEXT)
@example("Đơn tố cáo, ông Nguyễn\u0301 \u0323nghiêng-nghiêng 0999.000.001")
def test_pieces_fold_as_the_whole(text):
    assert fold.tokens(text) == list(fold._folded(text))


def test_a_long_piece_is_not_remembered():
    fold._REMEMBERED.clear()

    fold.tokens("đ" * (fold.LONGEST_SYLLABLE + 1))

    assert not fold._REMEMBERED


def test_what_is_remembered_is_bounded(monkeypatch):
    fold._REMEMBERED.clear()
    monkeypatch.setattr(fold, "MOST_SYLLABLES", 3)

    assert fold.tokens("ăn ấm ở ế ư") == ["an", "am", "o", "e", "u"]
    assert len(fold._REMEMBERED) == 3
