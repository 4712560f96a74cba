"""Recognises a register of letters by its headings, where no mapping file is given."""

from deploy.items.mapping import TIME, Mapping
from deploy.items.tables import folded
from shared.contracts import LetterRegistered
from shared.contracts.vocabulary import Kind

HEADINGS: dict[str, tuple[str, ...]] = {
    "register_number": (
        *("Số đơn", "Số đến", "Số đăng ký", "Số vào sổ", "Số sổ", "Số đơn thư", "Mã đơn"),
        *("Số thụ lý", "Register number", "Registration number", "Number in the register"),
    ),
    TIME: (
        *("Ngày nhận", "Ngày đến", "Ngày tiếp nhận", "Ngày nhận đơn", "Ngày vào sổ"),
        *("Ngày đăng ký", "Ngày tháng", "Thời gian nhận"),
        *("Received", "Date received", "Received on", "Date of receipt", "Date"),
    ),
    "summary": (
        *("Nội dung", "Nội dung đơn", "Nội dung đơn thư", "Nội dung vụ việc"),
        *("Nội dung tóm tắt", "Tóm tắt nội dung", "Nội dung chính", "Trích yếu"),
        *("Trích yếu nội dung", "Summary", "Content", "Contents"),
    ),
    "reporter.name": (
        *("Họ tên", "Họ và tên", "Người gửi", "Họ tên người gửi", "Họ và tên người gửi"),
        *("Người đứng đơn", "Họ tên người đứng đơn", "Họ và tên người đứng đơn", "Người viết đơn"),
        *("Tên người gửi", "Name", "Sender", "Name of sender"),
    ),
    "reporter.address": ("Địa chỉ", "Địa chỉ người gửi", "Nơi ở", "Address"),
    "reporter.phone": ("Điện thoại", "Số điện thoại", "SĐT", "Phone", "Telephone"),
    "reporter.email": ("Email", "E-mail", "Thư điện tử", "Địa chỉ email"),
    "kind": ("Loại đơn", "Loại đơn thư", "Phân loại", "Phân loại đơn", "Kind"),
    "signatures": ("Số chữ ký", "Số người ký", "Số người đứng đơn", "Signatures"),
    "in_person": ("Nộp trực tiếp", "Trực tiếp", "In person"),
    "paper_box": ("Hòm thư góp ý", "Hòm thư", "Thùng thư", "Paper box"),
}
NEEDED = ("register_number", TIME, "summary")

KINDS: dict[str, Kind] = {
    **dict.fromkeys(("Khiếu nại", "Đơn khiếu nại", "Complaint"), Kind.COMPLAINT),
    **dict.fromkeys(("Tố cáo", "Đơn tố cáo", "Denunciation"), Kind.DENUNCIATION),
    **dict.fromkeys(("Kiến nghị", "Đơn kiến nghị", "Petition"), Kind.PETITION),
    **dict.fromkeys(("Phản ánh", "Đơn phản ánh", "Reflection"), Kind.REFLECTION),
}
NOBODY = ("Nặc danh", "Ẩn danh", "Khuyết danh", "Giấu tên", "Không tên", "Không ghi tên")
ANONYMOUS = (*NOBODY, "Không rõ", "Anonymous")

_FIELDS = {folded(heading): field for field, names in HEADINGS.items() for heading in names}


def recognised(headings: tuple[str, ...]) -> Mapping | None:
    """The mapping of a register with these headings; None if a needed one is not among them."""
    fields: dict[str, str] = {}
    for heading in headings:
        field = _FIELDS.get(folded(heading))
        if field is not None:
            fields.setdefault(field, heading)
    if any(field not in fields for field in NEEDED):
        return None
    return Mapping.model_validate(
        {
            "type": LetterRegistered.TYPE,
            "fields": fields,
            "values": {
                "kind": {written: kind.value for written, kind in KINDS.items()},
                "reporter.name": dict.fromkeys(ANONYMOUS),
            },
            "key": (fields["register_number"], fields[TIME]),
        }
    )
