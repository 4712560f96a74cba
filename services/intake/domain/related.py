"""Whether two texts are on the same matter."""

ALIKE = 0.5


def signature(_text: str, _key: bytes) -> tuple[int, ...] | None:
    return None


def bands(_signature: tuple[int, ...]) -> tuple[str, ...]:
    return ()


def score(_first: tuple[int, ...], _second: tuple[int, ...]) -> float:
    return 0.0
