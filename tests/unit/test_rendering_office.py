"""What a real office program and a real PDF reader make of a report."""

import csv
import io
import shutil
import subprocess

import openpyxl
import pytest

from services.reporting.rendering import Format, Language, render, sheet_of
from services.reporting.rendering.words import figure, plain
from tests.examples_rendering import HOSTILE, named, public, report, second
from tests.readers_rendering import bare

VI = Language.VIETNAMESE
COMMA, QUOTE, UTF_8 = 44, 34, 76
AS_IS = f"csv:Text - txt - csv (StarCalc):{COMMA},{QUOTE},{UTF_8},1,,0,false,false,false"
READ_CSV = f"CSV:{COMMA},{QUOTE},{UTF_8},1"

needs_office = pytest.mark.skipif(
    shutil.which("soffice") is None,
    reason="NO SOFFICE ON THE PATH: nothing shows that LibreOffice reads what we write "
    "(apt-get install libreoffice-calc-nogui)",
)
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None,
    reason="NO PDFTOTEXT ON THE PATH: the text of PDF files is checked as it is laid out only "
    "(apt-get install poppler-utils)",
)


def converted(folder, files, target, *options) -> None:
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = ["soffice", profile, "--headless", *options, "--convert-to", target]
    out = folder / "out"
    subprocess.run([*command, "--outdir", str(out), *files], check=True, capture_output=True)


def rows_in(path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


@needs_office
class TestLibreOffice:
    def test_reads_every_cell_of_a_workbook(self, tmp_path):
        reports = [report(), public(), second(), public("s-124"), *map(named, HOSTILE)]
        books = {}
        for number, of in enumerate(reports):
            path = tmp_path / f"{number}.xlsx"
            path.write_bytes(render(of, Format.XLSX, VI)[0])
            books[path.stem] = openpyxl.load_workbook(path).worksheets[0]

        converted(tmp_path, [str(tmp_path / f"{name}.xlsx") for name in books], AS_IS)

        for name, page in books.items():
            found = rows_in(tmp_path / "out" / f"{name}.csv")
            said = [["" if v is None else str(v) for v in row] for row in page.values]
            assert trimmed(found) == trimmed(said)

    def test_evaluates_nothing_of_a_csv(self, tmp_path):
        names = {}
        for number, text in enumerate(HOSTILE):
            path = tmp_path / f"{number}.csv"
            path.write_bytes(render(named(text), Format.CSV, VI)[0])
            names[path] = text
        control = tmp_path / "control.csv"
        control.write_text("=1+1\n", encoding="utf-8-sig")

        files = [str(path) for path in (*names, control)]
        converted(tmp_path, files, AS_IS, f"--infilter={READ_CSV}")

        assert rows_in(tmp_path / "out" / "control.csv") == [["2"]]  # it does where it may
        for path, text in names.items():
            found = rows_in(tmp_path / "out" / path.name)
            assert bare(found[2][1]) == plain(text)
            assert bare(found[0][3]) == plain(text)


def trimmed(rows) -> list[list[str]]:
    """Without empty cells and rows at the end, of which a CSV may have more or fewer."""
    kept = [list(row) for row in rows]
    for row in kept:
        while row and not row[-1]:
            row.pop()
    while kept and not kept[-1]:
        kept.pop()
    return kept


@needs_poppler
@pytest.mark.parametrize("of", [report(), public(), report("s-124"), public("s-124")])
def test_a_pdf_reader_finds_every_row(of, tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(render(of, Format.PDF, VI)[0])

    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True
    ).stdout.decode()

    count = len(of.columns)
    lines = [line.split() for line in text.splitlines()]
    figures = [line[-count:] for line in lines if len(line) >= count]
    for line in sheet_of(of, VI).all_lines:
        assert [figure(cell, VI) for cell in line.cells] in figures
    assert sheet_of(of, VI).days in text
