"""Reads a form's multipart body (RFC 7578) piece by piece, in memory and within bounds.

Nothing is written to disk, no file is opened or named by what was sent.
"""

from base64 import b64encode
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.contracts.ingress import FieldProblem
from shared.runtime.http.body import MEGABYTE
from shared.runtime.http.problem import Problem, one, too_large, unreadable
from shared.runtime.refusal import FIELD_NAME

MOST_FILES = 20
MOST_FILE_BYTES = 10 * MEGABYTE
MOST_FILES_BYTES = 25 * MEGABYTE
MOST_FIELDS_BYTES = MEGABYTE
MOST_PARTS = 60
MOST_NAME = 255
"""Characters of a file's name or content type; the contract takes no more, the rest is cut."""

ATTACHMENTS = "attachments"
FILES_ADVICE = (
    f"At most {MOST_FILES} files, {MOST_FILE_BYTES // MEGABYTE} MB each, "
    f"{MOST_FILES_BYTES // MEGABYTE} MB together."
)
FIELDS_ADVICE = f"At most {MOST_FIELDS_BYTES // MEGABYTE} MB of text."


class Fields:
    """`values` are texts by field, and under `attachments` files as the contract writes them.

    `problems` say what is wrong with them; the values hold everything that was sent all the same.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[FieldProblem] = []
        self.is_whole = False
        self._files: list[dict[str, str]] = []
        self._files_bytes = self._fields_bytes = self._parts = 0
        self._header, self._header_value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._name, self._content = "", bytearray()
        self._file: dict[str, str] | None = None

    def begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise too_large(f"At most {MOST_PARTS} fields and files.")
        self._headers, self._content = {}, bytearray()

    def on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._header.lower()] = self._header_value
        self._header, self._header_value = b"", b""

    def on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise _broken()
        self._name = options[b"name"].decode("utf-8", "replace")
        self._file = None
        if b"filename" in options or self._name == ATTACHMENTS:
            kind = self._headers.get(b"content-type", b"application/octet-stream")
            self._file = {
                "name": options.get(b"filename", b"").decode("utf-8", "replace")[:MOST_NAME],
                "content_type": kind.decode("latin-1")[:MOST_NAME],
            }

    def on_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._fields_bytes += end - start
            if self._fields_bytes > MOST_FIELDS_BYTES:
                raise too_large(FIELDS_ADVICE)
        else:
            self._files_bytes += end - start
            too_long = len(self._content) + end - start > MOST_FILE_BYTES
            if too_long or self._files_bytes > MOST_FILES_BYTES:
                raise too_large(FILES_ADVICE)
        self._content += data[start:end]

    def end(self) -> None:
        if self._file is None:
            self._add_text()
        elif self._file["name"] or self._content:  # a browser sends an empty part for no file
            if self._name != ATTACHMENTS:
                self._complain("file", f"Send files in the field {ATTACHMENTS}.")
            if len(self._files) == MOST_FILES:
                raise too_large(FILES_ADVICE)
            self._files.append(self._file | {"content": b64encode(self._content).decode()})
        self._content = bytearray()

    def _add_text(self) -> None:
        try:
            text = self._content.decode("utf-8")
        except UnicodeDecodeError:
            text = self._content.decode("utf-8", "backslashreplace")
            self._complain("utf-8", "Send the form in UTF-8.")
        if self._name in self.values:
            self._complain("repeated", "Send this field once.")
            text = f"{self.values[self._name]}\n{text}"
        self.values[self._name] = text

    def _complain(self, rule: str, advice: str) -> None:
        field = f"/{self._name}" if FIELD_NAME.match(self._name) else "/?"
        self.problems += one(field, rule, advice)

    def on_end(self) -> None:
        self.is_whole = True
        if self._files:
            self.values[ATTACHMENTS] = self._files


class Multipart:
    """Writes a body into fields.

    Apart from them: a parser and what it calls in one object would be a cycle, whose files lie in
    memory until the collector comes.
    """

    def __init__(self, boundary: bytes) -> None:
        self._fields = Fields()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._fields.begin,
                    "on_header_field": self._fields.on_header,
                    "on_header_value": self._fields.on_header_value,
                    "on_header_end": self._fields.on_header_end,
                    "on_headers_finished": self._fields.on_headers,
                    "on_part_data": self._fields.on_data,
                    "on_part_end": self._fields.end,
                    "on_end": self._fields.on_end,
                },
            )
        except FormParserError:
            raise _broken() from None

    def write(self, piece: bytes) -> None:
        """Raises `Problem` for what is no multipart or goes beyond a bound."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise _broken() from None

    def finish(self) -> Fields:
        """Raises `Problem` if the last boundary never came: what was read is not the whole."""
        if not self._fields.is_whole:
            raise _broken()
        return self._fields


def _broken() -> Problem:
    return unreadable(one("/", "multipart", "Send one whole multipart/form-data body."))
