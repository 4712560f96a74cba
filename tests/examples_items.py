"""Files of an agency's own: registers of letters, telephone logs, as CSV and XLSX."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import openpyxl

from deploy.items import Item, Mapping, Reader, read_mapping

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
AGENCY = "a-so-xay-dung"
HEADINGS = ["Số đơn", "Ngày nhận", "Nội dung", "Họ tên", "Loại đơn"]
LETTERS = [
    ["12/ĐT", "05/01/2026", "Tố cáo Trưởng phòng vắng mặt", "Nguyễn Văn A", "Tố cáo"],
    ["13/ĐT", "06/01/2026", "Phản ánh việc chậm trả hồ sơ", "Nặc danh", "Phản ánh"],
]
CALLS = """
type: hotline-call.logged.v1
fields:
  call: Mã cuộc gọi
  time: [Ngày, Giờ]
  note: Nội dung
  reporter.phone: Số máy
key: [Mã cuộc gọi]
"""


def items(path: Path, mapping=None, agency=AGENCY, now=NOW) -> list[Item]:
    return list(Reader([AGENCY], agency, now, mapping=mapping).items(path))


def data(item: Item):
    return json.loads(item.body)["data"]


def ids(found) -> list[str]:
    return [json.loads(item.body)["id"] for item in found]


def write_csv(path: Path, rows, delimiter=",", encoding="utf-8") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, rows, title="Sổ đơn") -> Path:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def mapping_of(folder: Path, text: str) -> Mapping:
    file = folder / "mapping.yaml"
    file.write_text(text, encoding="utf-8")
    return read_mapping(file)
