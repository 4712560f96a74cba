"""Nothing that looks like a secret is in the repository."""

import re
import subprocess

import pytest

from tests.documents import ROOT

PATTERNS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "an NKey seed": r"\bS[UAOC][A-Z2-7]{56}\b",
    "a webhook's secret": r"\bwhsec_[A-Za-z0-9+/]{40,}={0,2}",
    "a password in an address": r"\b[a-z+]+://[^\s/:@'\"<>{}$]+:[A-Za-z0-9_\-]{24,}@",
    "a token of a forge": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20})",
    "a key of a cloud": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name]


def found(text: str) -> set[str]:
    return {what for what, pattern in PATTERNS.items() if re.search(pattern, text)}


def test_no_file_has_one():
    seen = set()
    for name in tracked():
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2_000_000:
            text = path.read_text(encoding="utf-8", errors="ignore")
            seen |= {(name, what) for what in found(text)}

    assert seen == set()


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN " + "EC PRIVATE KEY-----",
        "S" + "UA" + "B" * 55,
        "whsec_" + "a" * 43 + "=",
        "mongodb://root:" + "x" * 43 + "@mongo:27017",
        "gh" + "p_" + "a" * 36,
        "AKIA" + "A" * 16,
    ],
)
def test_one_would_be_found(secret):
    assert found(f"text {secret} text")
