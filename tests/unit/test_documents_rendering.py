"""The page on reports says how they are rendered."""

import pytest

from services.reporting.rendering import MEDIA_TYPES
from services.reporting.rendering.sheet import WIDE
from tests.documents import ROOT, section

FORMATS = section("Các dạng tệp", ROOT / "docs" / "reports.md")


@pytest.mark.parametrize(("format_", "media_type"), MEDIA_TYPES.items())
def test_every_format_is_named_with_its_media_type(format_, media_type):
    assert f"| `{format_}` | `{media_type}` |" in FORMATS


def test_says_from_how_many_columns_on_paper_is_a3():
    assert f"A3 landscape from {WIDE} columns on" in FORMATS
