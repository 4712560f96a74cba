"""Opened in a real office program, no report of ours calls anybody, whatever its texts say.

Each text leads to a listener on this machine, in every field of a report at once, and the
program's system calls are watched for any other address. Controls show that both would have seen
a call. (No proxy is left in its environment: with one this program calls nobody at all.)
"""

import os
import re
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager

import openpyxl
import pytest

from services.reporting.rendering import Format, Language, render
from services.reporting.rendering.words import plain
from tests.examples_rendering import HOSTILE, named
from tests.readers_rendering import bare
from tests.unit.test_rendering_office import AS_IS, READ_CSV, needs_office, rows_in, trimmed

VI = Language.VIETNAMESE
ALL_SHEETS = f"{AS_IS},true,false,-1"
"""With formulas as formulas, so that one would be seen where a text is expected."""
INTERNET = re.compile(r"(connect|sendto|sendmsg)\(.*AF_INET6?\b")
CONTROL = ("--convert-to", "pdf:calc_pdf_Export")
NAMES = "urn:oasis:names:tc:opendocument:xmlns"
CALLING = {
    "picture.fods": f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="{NAMES}:office:1.0"
 xmlns:table="{NAMES}:table:1.0" xmlns:draw="{NAMES}:drawing:1.0"
 xmlns:svg="{NAMES}:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"
 office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:body><office:spreadsheet><table:table table:name="a">
<table:shapes><draw:frame svg:width="2cm" svg:height="2cm">
<draw:image xlink:href="http://{{address}}/x.png" xlink:type="simple"
 xlink:show="embed" xlink:actuate="onLoad"/></draw:frame></table:shapes>
<table:table-row><table:table-cell/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document>""",
    "page.html": '<html><body><table><tr><td><img src="http://{address}/x.png">a</td></tr></table></body></html>',
}
needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None,
    reason="NO STRACE ON THE PATH: calls past the listener are not seen (apt-get install strace)",
)


@contextmanager
def listener():
    """An address of this machine, and those who called it."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def listen():
            while True:
                try:
                    caller, peer = server.accept()
                except OSError:
                    return
                with caller:
                    calls.append(peer)
                    caller.settimeout(1)
                    caller.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield address, calls
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def payloads(address):
    """Those of the other tests that lead somewhere, leading here, and more that would fetch."""
    here = f"http://{address}/"
    known = [text.replace("http://example.invalid/", here) for text in HOSTILE]
    return [
        *known,
        f'=WEBSERVICE("{here}")',
        f'=FILTERXML(WEBSERVICE("{here}");"//a")',
        f'+WEBSERVICE("{here}")',
        f'@WEBSERVICE("{here}")',
        f'＝WEBSERVICE("{here}")',
        f'\t=WEBSERVICE("{here}")',
        f'=HYPERLINK("{here}")',
        f'=IMAGE("{here}x.png")',
        f'=IMPORTDATA("{here}")',
        f"='{here}[x.xlsx]Sheet1'!A1",
        f"='{here}x.ods'#$Sheet1.A1",
        f'=DDE("soffice";"{here}x.ods";"A1")',
        f'=RTD("x";"";"{here}")',
        f"\\\\{address}\\share\\x",
        f"<table><img src={here}x.png>",
        f'<?xml version="1.0"?><!DOCTYPE a SYSTEM "{here}">',
        here,
    ]  # fmt: skip


def opened(folder, files, *options):
    """Converts the files as an office program opens them; returns its calls to the internet."""
    trace = folder / "trace"
    watch = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace)]
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [*watch, "soffice", profile, "--headless", *options, "--outdir", str(folder / "out")]
    direct = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    subprocess.run([*command, *map(str, files)], check=True, capture_output=True, env=direct)
    lines = trace.read_text(errors="replace").splitlines()
    return [line for line in lines if INTERNET.search(line)]


@needs_office
@needs_strace
class TestNobodyIsCalled:
    def test_by_a_workbook(self, tmp_path):
        with listener() as (address, calls):
            books = {}
            for number, text in enumerate(payloads(address)):
                path = tmp_path / f"w{number}.xlsx"
                path.write_bytes(render(named(text), Format.XLSX, VI)[0])
                books[path] = openpyxl.load_workbook(path)
            seen = opened(tmp_path, books, "--convert-to", ALL_SHEETS)

        assert (calls, seen) == ([], [])
        for path, book in books.items():
            for page in book.worksheets:
                found = rows_in(tmp_path / "out" / f"{path.stem}-{page.title}.csv")
                said = [["" if v is None else str(v) for v in row] for row in page.values]
                assert trimmed(found) == trimmed(said)

    def test_by_a_csv(self, tmp_path):
        with listener() as (address, calls):
            texts = payloads(address)
            paths = [tmp_path / f"c{number}.csv" for number, _ in enumerate(texts)]
            for path, text in zip(paths, texts, strict=True):
                path.write_bytes(render(named(text), Format.CSV, VI)[0])
            more = ("--convert-to", AS_IS, f"--infilter={READ_CSV}")
            seen = opened(tmp_path, paths, *more)

        assert (calls, seen) == ([], [])
        for path, text in zip(paths, texts, strict=True):
            found = rows_in(tmp_path / "out" / path.name)
            assert bare(found[2][1]) == bare(found[0][3]) == plain(text)

    @pytest.mark.parametrize("control", CALLING)
    def test_a_file_that_calls_is_seen(self, tmp_path, control):
        with listener() as (address, calls):
            path = tmp_path / control
            path.write_text(CALLING[control].format(address=address), encoding="utf-8")
            more = ("--infilter=HTML (StarCalc)",) if path.suffix == ".html" else ()
            seen = opened(tmp_path, [path], *CONTROL, *more)

        assert calls
        assert seen


def test_there_are_enough_of_them():
    assert len(set(payloads("127.0.0.1:9"))) >= 40
