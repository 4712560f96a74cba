"""How far a submission is, in plain words for who spoke."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "received": {
        "vi": "Đã tiếp nhận. Đang chuyển đến cơ quan có thẩm quyền.",
        "en": "Received. It is being passed to the competent body.",
    },
    "assigned": {
        "vi": "Đã chuyển đến {body} để xem xét.",
        "en": "Passed to {body} for examination.",
    },
    "accepted": {
        "vi": "{body} đang xem xét, giải quyết.",
        "en": "{body} is looking into it.",
    },
    "concluded": {
        "vi": "{body} đã có kết quả giải quyết.",
        "en": "{body} has concluded it.",
    },
    "referred": {
        "vi": "Không thuộc thẩm quyền giải quyết của {body}; nội dung đã được hướng dẫn hoặc "
        "chuyển đến cơ quan có thẩm quyền.",
        "en": "Not for {body} to settle; you were guided, or it was passed to the competent body.",
    },
}
"""By state and language."""
KINDS: Mapping[str, Mapping[str, str]] = {
    "complaint": {"vi": "Nội dung khiếu nại", "en": "The complaint"},
    "denunciation": {"vi": "Nội dung tố cáo", "en": "The denunciation"},
    "petition": {"vi": "Nội dung kiến nghị", "en": "The petition"},
    "reflection": {"vi": "Nội dung phản ánh", "en": "The reflection"},
}
"""What a case of a letter is about, by kind and language."""


def in_words(state: str, body: Mapping[str, str]) -> dict[str, str]:
    """The sentence in each language; `body` is the handling body's name by language."""
    known = WORDS.get(state, WORDS["received"])
    return {
        language: sentence.format(body=body.get(language) or body.get("vi", ""))
        for language, sentence in known.items()
    }


def part_in_words(kind: str | None, state: str, body: Mapping[str, str]) -> dict[str, str]:
    """The same of one case of a letter, by its kind; the bare sentence while that is not known."""
    about = KINDS.get(kind or "", {})
    return {
        language: f"{about[language]}: {sentence}" if language in about else sentence
        for language, sentence in in_words(state, body).items()
    }
