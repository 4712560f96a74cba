"""The words in which `explain` says a case, in Vietnamese and in English."""

from shared.contracts.worklist import Row

OTHERWISE = "{type}"

WORDS = {
    "case": {"vi": "Vụ việc", "en": "Case"},
    "received": {"vi": "Tiếp nhận lúc", "en": "Received"},
    "kind": {"vi": "Loại", "en": "Kind"},
    "category": {"vi": "Lĩnh vực", "en": "Category"},
    "unit": {"vi": "Đơn vị tiếp nhận", "en": "Receiving unit"},
    "channel": {"vi": "Kênh", "en": "Channel"},
    "stage": {"vi": "Tình trạng", "en": "Stage"},
    "lead": {"vi": "Chủ trì", "en": "Lead"},
    "co-operating": {"vi": "Phối hợp", "en": "Co-operating"},
    "assignment": {"vi": "Phân công", "en": "Assignment"},
    "barred": {"vi": "Hôm nay không được tham gia", "en": "May not take part today"},
    "terms": {"vi": "Thời hạn", "en": "Terms"},
    "steps": {"vi": "Quá trình giải quyết", "en": "Steps"},
    "until": {"vi": "đến hết ngày {day}", "en": "until the end of {day}"},
    "complaint": {"vi": "khiếu nại", "en": "complaint"},
    "denunciation": {"vi": "tố cáo", "en": "denunciation"},
    "petition": {"vi": "kiến nghị", "en": "petition"},
    "reflection": {"vi": "phản ánh", "en": "reflection"},
    "hotline": {"vi": "đường dây nóng", "en": "hotline"},
    "mailbox": {"vi": "hộp thư điện tử", "en": "mailbox"},
    "web-form": {"vi": "biểu mẫu trực tuyến", "en": "web form"},
    "letter": {"vi": "đơn thư", "en": "letter"},
    "paper-box": {"vi": "hòm thư góp ý", "en": "paper box"},
    "assigned": {"vi": "đã phân công, chưa thụ lý", "en": "assigned, not accepted yet"},
    "accepted": {"vi": "đã thụ lý, đang giải quyết", "en": "accepted"},
    "concluded": {"vi": "đã kết luận", "en": "concluded"},
    "letter-became": {"vi": "Về đơn", "en": "Letter"},
    "letter-parent": {"vi": "tách đơn từ vụ việc {parent}", "en": "split from case {parent}"},
    "letter-divided": {"vi": "đã tách đơn: {kinds}", "en": "split, with cases of its own: {kinds}"},
    "letter-joined": {
        "vi": "đã nhập vụ việc trùng vào vụ việc {joined}",
        "en": "joined, as a duplicate, to case {joined}",
    },
    "taken-from": {
        "vi": "nhập vụ việc trùng {case}: {step}",
        "en": "duplicate {case} was joined: {step}",
    },
    "learnt-from": {
        "vi": "theo nội dung bổ sung tại vụ việc {case}: {step}",
        "en": "named in case {case}: {step}",
    },
    "why-opening": {"vi": "khi mở vụ việc", "en": "at the opening"},
    "why-decline": {"vi": "do tổ chức trước từ chối", "en": "the body before declined"},
    "why-transfer": {"vi": "do được chuyển giao", "en": "it was handed over"},
    "why-escalation": {"vi": "do hết thời hạn", "en": "a term ended"},
    "why-concerns": {
        "vi": "do vụ việc liên quan thêm đối tượng khác",
        "en": "it concerns more than was known",
    },
    "why-rules": {
        "vi": "do danh bạ hoặc quy định có thay đổi",
        "en": "the directory or the rules changed",
    },
    "why-calendar": {"vi": "lịch làm việc thay đổi", "en": "a new calendar"},
    "why-rulebook": {"vi": "quy định thay đổi", "en": "a new rulebook"},
    "why-extension": {"vi": "được gia hạn", "en": "an extension"},
    "why-pause": {"vi": "hết thời gian tạm dừng", "en": "a pause that ended"},
    "clock-running": {"vi": "đang trong thời hạn", "en": "running"},
    "clock-paused": {"vi": "đang tạm dừng", "en": "paused"},
    "clock-missed": {"vi": "quá hạn, chưa thực hiện", "en": "missed, still to be done"},
    "clock-met": {"vi": "đúng hạn", "en": "met"},
    "clock-late": {"vi": "đã thực hiện nhưng quá hạn", "en": "done, but late"},
    "in-time": {"vi": "đúng hạn", "en": "in time"},
    "not-in-time": {"vi": "quá hạn", "en": "late"},
    "ground-not-competent": {"vi": "không thuộc thẩm quyền", "en": "not competent"},
    "ground-concerned": {"vi": "có xung đột lợi ích", "en": "a conflict of interest"},
    "outcome-right": {"vi": "đúng", "en": "right"},
    "outcome-wrong": {"vi": "sai", "en": "wrong"},
    "outcome-partly-right": {"vi": "đúng một phần", "en": "partly right"},
    "outcome-withdrawn": {
        "vi": "người gửi rút đơn, đình chỉ giải quyết",
        "en": "withdrawn, and discontinued",
    },
    "discontinued": {"vi": "đình chỉ giải quyết", "en": "the settling is discontinued"},
    "goes-on": {
        "vi": "vẫn tiếp tục giải quyết ({exception})",
        "en": "it is settled all the same ({exception})",
    },
    "outcome-suspended": {"vi": "đình chỉ giải quyết", "en": "suspended"},
    "recovered": {"vi": "thu hồi, trả lại {number} đồng", "en": "{number} đồng recovered"},
    "sanctions": {
        "vi": "kiến nghị xử lý {number} người",
        "en": "sanctions proposed, number of people: {number}",
    },
    "way-guided": {
        "vi": "hướng dẫn người gửi đến cơ quan có thẩm quyền",
        "en": "the sender was told whom to turn to",
    },
    "way-forwarded": {
        "vi": "chuyển đến cơ quan có thẩm quyền",
        "en": "passed to the competent authority",
    },
    "way-urged": {
        "vi": "đôn đốc cơ quan có thẩm quyền giải quyết",
        "en": "the competent authority was urged to settle it",
    },
    "unseals-identity": {
        "vi": "biết thông tin về người gửi",
        "en": "who spoke",
    },
    "unseals-case": {"vi": "xem hồ sơ vụ việc", "en": "the case"},
    "following-accepted": {"vi": "đã tiếp thu", "en": "accepted"},
    "following-carried-out": {"vi": "đã thực hiện", "en": "carried out"},
    "following-partly-carried-out": {"vi": "đã thực hiện một phần", "en": "carried out in part"},
    "following-refused": {"vi": "không được tiếp thu", "en": "refused"},
}

EFFECT = {
    "moves-0": {
        "vi": "Trong {open} vụ việc chưa giải quyết xong, không vụ việc nào phải chuyển.",
        "en": "0 open cases would move, of {open}.",
    },
    "moves-1": {
        "vi": "1 vụ việc chưa giải quyết xong sẽ được chuyển, trong tổng số {open}.",
        "en": "1 open case would move, of {open}.",
    },
    "moves": {
        "vi": "{count} vụ việc chưa giải quyết xong sẽ được chuyển, trong tổng số {open}.",
        "en": "{count} open cases would move, of {open}.",
    },
    "body": {
        "vi": "{body}: chuyển đi {leave}, nhận thêm {arrive}",
        "en": "{body}: {leave} leave, {arrive} arrive",
    },
    "case": {
        "vi": "{case}: từ {before} sang {lead}",
        "en": "{case}: from {before} to {lead}",
    },
    "stays": {
        "vi": "{case}: {lead} vẫn chủ trì, có thay đổi về tổ chức phối hợp",
        "en": "{case}: {lead} goes on leading, with others beside it",
    },
    "more": {"vi": "… và {count} vụ việc khác", "en": "… and {count} more"},
    "terms-1": {
        "vi": "1 thời hạn sẽ có ngày cuối cùng khác: {day}.",
        "en": "1 last day would be another: {day}.",
    },
    "terms": {
        "vi": "{count} thời hạn sẽ có ngày cuối cùng khác, sớm nhất là {day}.",
        "en": "{count} last days would be others, the earliest of them {day}.",
    },
}
"""What new rules would do, before they hold."""

STEPS = {
    "case.opened.v1": {"vi": "Mở vụ việc.", "en": "The case was opened."},
    "case.assigned.v1": {
        "vi": "Phân công {lead} chủ trì ({why}).",
        "en": "{lead} became its lead ({why}).",
    },
    "case.accepted.v1": {"vi": "{body} thụ lý vụ việc.", "en": "{body} accepted it."},
    "case.concluded.v1": {
        "vi": "{body} kết luận: {outcome}; {in_time}.",
        "en": "{body} concluded it: {outcome}; {in_time}.",
    },
    "case.declined.v1": {
        "vi": "{body} từ chối: {ground}, theo {citation}.",
        "en": "{body} declined: {ground}, under {citation}.",
    },
    "case.withdrawn.v1": {
        "vi": "Người gửi rút đơn ngày {asked}; {body}: {goes_on}, theo {citation}.",
        "en": "The sender withdrew on {asked}; {body}: {goes_on}, under {citation}.",
    },
    "case.amended.v1": {
        "vi": "{body} bổ sung đối tượng liên quan đến vụ việc.",
        "en": "{body} added whom or what it concerns.",
    },
    "case.reopened.v1": {
        "vi": "{body} mở lại vụ việc, theo {citation}.",
        "en": "{body} reopened it, under {citation}.",
    },
    "case.referred.v1": {
        "vi": "{body}: không thuộc thẩm quyền, {way}, theo {citation}.",
        "en": "{body}: not for us to settle, {way}, under {citation}.",
    },
    "case.recommended.v1": {
        "vi": "{body} gửi kiến nghị số {number} đến {unit}, theo {citation}.",
        "en": "{body} gave recommendation {number} to {unit}, under {citation}.",
    },
    "case.followed-up.v1": {
        "vi": "{body} theo dõi kiến nghị số {number}: {following}.",
        "en": "{body} followed up recommendation {number}: {following}.",
    },
    "case.divided.v1": {
        "vi": "{body} tách đơn theo từng nội dung: {parts}; theo {citation}.",
        "en": "{body} split the letter, one case for each kind: {parts}; under {citation}.",
    },
    "case.joined.v1": {
        "vi": "{body} nhập vụ việc trùng vào vụ việc {into}, theo {citation}.",
        "en": "{body} joined it, as a duplicate, to case {into}, under {citation}.",
    },
    "case.unsealing-asked.v1": {
        "vi": "{body}, cán bộ mã {person}, đề nghị {unseals} (đề nghị số {number}), "
        "theo {citation}; căn cứ: {law}; chờ người thứ hai đồng ý đến hết ngày {until}.",
        "en": "{body}, person {person}, asked to be shown {unseals} (asking {number}), under "
        "{citation}; by {law}; a second person may agree until the end of {until}.",
    },
    "case.unsealing-confirmed.v1": {
        "vi": "{second_body}, cán bộ mã {second_person}, đồng ý đề nghị số {number}: "
        "{body}, cán bộ mã {person}, được {unseals} một lần, đến hết ngày {until}.",
        "en": "{second_body}, person {second_person}, agreed to asking {number}: {body}, person "
        "{person}, may be shown {unseals} once, until the end of {until}.",
    },
    "case.unsealing-refused.v1": {
        "vi": "{second_body}, cán bộ mã {second_person}, không đồng ý đề nghị số {number}.",
        "en": "{second_body}, person {second_person}, did not agree to asking {number}.",
    },
    "case.unsealing-lapsed.v1": {
        "vi": "Đề nghị số {number} của {body} hết hiệu lực: "
        "không có người thứ hai đồng ý đến hết ngày {until}.",
        "en": "Asking {number} of {body} lapsed: nobody agreed until the end of {until}.",
    },
    "case.unsealed.v1": {
        "vi": "{body}, cán bộ mã {person}, đã xem hồ sơ vụ việc theo đề nghị số {number}.",
        "en": "{body}, person {person}, was shown the case, by asking {number}.",
    },
    "clock.started.v1": {
        "vi": "Thời hạn “{clock}” bắt đầu, đến hết ngày {due} ({citation}).",
        "en": "The term “{clock}” began; it ends with {due} ({citation}).",
    },
    "clock.warned.v1": {
        "vi": "Thời hạn “{clock}” sắp hết, đến hết ngày {due}.",
        "en": "The term “{clock}” comes to its end with {due}.",
    },
    "clock.met.v1": {
        "vi": "Thực hiện đúng thời hạn “{clock}”, đến hết ngày {due}.",
        "en": "The term “{clock}” until {due} was met.",
    },
    "clock.missed.v1": {
        "vi": "Quá thời hạn “{clock}”, đã hết ngày {due}.",
        "en": "The term “{clock}” until {due} was missed.",
    },
    "clock.paused.v1": {
        "vi": "Tạm dừng thời hạn “{clock}” từ ngày {first}, theo {citation}.",
        "en": "The term “{clock}” stands still from {first} on, under {citation}.",
    },
    "clock.restated.v1": {
        "vi": "Thời hạn “{clock}” đổi từ ngày {due_before} sang ngày {due}: {why}.",
        "en": "The term “{clock}” moved from {due_before} to {due}: {why}.",
    },
}
"""Of each event of a case; braces name fields of its contract."""


def letter_in_words(row: Row, language: str) -> str:
    """What became of its letter: split, a part of another, joined. Empty for most cases."""
    kinds = ", ".join(WORDS[kind.value][language] for kind in row.divided)
    said = (
        ("letter-parent", row.parent),
        ("letter-divided", kinds),
        ("letter-joined", row.joined),
    )
    return "; ".join(
        WORDS[name][language].format(parent=row.parent, kinds=kinds, joined=row.joined)
        for name, there in said
        if there
    )
