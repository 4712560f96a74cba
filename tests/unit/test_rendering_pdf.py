"""A PDF is for archives, holds its own data, and has every cell on paper."""

import re
import zlib

import pytest
import weasyprint
from weasyprint.formatting_structure.boxes import TextBox

from services.reporting.rendering import CannotPrint, Format, Language, paper, render, sheet_of
from services.reporting.rendering.words import figure
from shared.contracts import ReportPublished
from tests.examples_rendering import EXAMPLES, content, report

VI = Language.VIETNAMESE


def unpacked(pdf: bytes) -> bytes:
    """All streams of a PDF that zlib can read."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


@pytest.fixture(scope="module")
def pdf():
    return content(report(), Format.PDF)


class TestPdf:
    def test_says_that_it_is_for_archives(self, pdf):
        parts = unpacked(pdf)

        assert b'pdfaid:part="3"' in parts
        assert b'pdfaid:conformance="B"' in parts
        assert b"/OutputIntent" in parts

    def test_has_its_fonts_inside(self, pdf):
        parts = unpacked(pdf)
        fonts = set(re.findall(rb"/FontName /(\S+)", parts))

        assert fonts
        assert all(re.fullmatch(rb"[A-Z]{6}\+DejaVu-\S+", font) for font in fonts)
        assert len(re.findall(rb"/FontFile", parts)) == len(fonts)

    def test_has_its_own_data_inside(self):
        of = report()

        parts = unpacked(content(of, Format.PDF))

        assert of.model_dump_json(indent=2).encode() in parts

    @pytest.mark.parametrize("of", EXAMPLES, ids=lambda r: f"{r.form}-{r.edition}-r{r.revision}")
    @pytest.mark.parametrize("language", Language)
    def test_has_every_cell_on_paper_and_nothing_cut(self, of, language):
        pages = printed(of, language)
        sheet = sheet_of(of, language)
        words = [text for page in pages for text, *_ in page]

        assert_in_order(words, [cell for line in sheet.all_lines for cell in line.cells], language)
        for page in pages:
            assert all(left > 20 and right < width - 20 for _, left, right, width in page)

    def test_is_a3_for_the_statutory_form_and_a4_for_ours(self):
        assert {width for page in printed(report(), VI) for *_, width in page} == {1587}
        assert {width for page in printed(report("s-124"), VI) for *_, width in page} == {1122}

    def test_fetches_nothing(self):
        with pytest.raises(ValueError, match="fetches nothing"):
            paper._refuse("http://example.invalid/")

    @pytest.mark.parametrize(
        ("error", "missing"),
        [(ModuleNotFoundError("weasyprint"), "WeasyPrint"), (OSError("libpango"), "Pango")],
    )
    def test_says_what_is_missing(self, monkeypatch, error, missing):
        def gone(name, *args, **more):
            if name == "weasyprint":
                raise error
            return imported(name, *args, **more)

        imported = __import__
        monkeypatch.setattr("builtins.__import__", gone)

        with pytest.raises(CannotPrint, match=f"PDF needs {missing}.*(pip|apt-get) install"):
            render(report(), Format.PDF)


def printed(of: ReportPublished, language: Language):
    """Of each page its texts: word, left, right, and the page's width, in CSS pixels."""
    document = weasyprint.HTML(string=content(of, Format.HTML, language).decode()).render()
    return [
        [
            (box.text, box.position_x, box.position_x + box.width, int(page.width))
            for box in page._page_box.descendants()
            if isinstance(box, TextBox) and box.text.strip() and box.element_tag != "caption"
        ]
        for page in document.pages
    ]


def assert_in_order(words, cells, language):
    """Each figure follows the one before among what was laid out."""
    rest = iter(words)
    for cell in cells:
        assert figure(cell, language) in rest
