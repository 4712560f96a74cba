"""Form S-124, this product's own: supervision under Regulation 124-QĐ/TW, and what it heard.

No official form was found. Offices and agencies are those of the directory on the period's last
day; an agency's channels are those that it announced by then.
"""

from services.reporting.domain.forms.form import Column, Fact, Form, Measure, cases
from services.reporting.domain.forms.identity import Identity
from shared.contracts.directory import Label

SUPERVISION = Form(
    code="s-124",
    title=Label(
        vi="Kết quả giám sát và tiếp nhận ý kiến theo Quy định số 124-QĐ/TW",
        en="Supervision and opinions heard under Regulation 124-QĐ/TW",
    ),
    citation=(
        "Mẫu S-124 của hệ thống (không phải biểu mẫu do cơ quan có thẩm quyền ban hành), "
        "theo Quy định số 124-QĐ/TW ngày 02/02/2018 của Ban Bí thư"
    ),
    columns=(
        Column(
            "supervised-officials",
            Label(vi="Số cán bộ được giám sát theo quyết định", en="Officials under supervision"),
            Measure.SUPERVISED_OFFICES,
        ),
        Column(
            "direct-activities",
            Label(vi="Số cuộc giám sát trực tiếp", en="Direct supervision activities"),
            Measure.DIRECT_ACTIVITIES,
        ),
        Column(
            "indirect-activities",
            Label(vi="Số cuộc giám sát gián tiếp", en="Indirect supervision activities"),
            Measure.INDIRECT_ACTIVITIES,
        ),
        Column(
            "dialogues",
            Label(vi="Số cuộc đối thoại", en="Dialogues"),
            Measure.DIALOGUES,
        ),
        Column(
            "dialogue-participants",
            Label(vi="Số người tham dự đối thoại", en="Participants in dialogues"),
            Measure.PARTICIPANTS,
        ),
        Column(
            "dialogue-opinions-received",
            Label(vi="Số ý kiến tiếp nhận tại đối thoại", en="Opinions received in dialogues"),
            Measure.OPINIONS_RECEIVED,
        ),
        Column(
            "dialogue-opinions-accepted",
            Label(vi="Số ý kiến được tiếp thu tại đối thoại", en="Opinions accepted in dialogues"),
            Measure.OPINIONS_ACCEPTED,
        ),
        Column(
            "agencies",
            Label(vi="Tổng số cơ quan, đơn vị", en="Agencies"),
            Measure.AGENCIES,
        ),
        Column(
            "agencies-with-mailbox",
            Label(
                vi="Số cơ quan, đơn vị đã công khai hòm thư góp ý",
                en="Agencies with a published mailbox",
            ),
            Measure.AGENCIES_WITH_MAILBOX,
        ),
        Column(
            "agencies-with-hotline",
            Label(
                vi="Số cơ quan, đơn vị đã công khai đường dây nóng",
                en="Agencies with a published hotline",
            ),
            Measure.AGENCIES_WITH_HOTLINE,
        ),
        Column(
            "agencies-with-both",
            Label(
                vi="Số cơ quan, đơn vị đã công khai cả hòm thư góp ý và đường dây nóng",
                en="Agencies with both",
            ),
            Measure.AGENCIES_WITH_BOTH,
        ),
        Column(
            "received",
            Label(vi="Số ý kiến tiếp nhận trong kỳ", en="Opinions received in the period"),
            cases(Fact.RECEIVED),
        ),
        Column(
            "carried-over",
            Label(vi="Số ý kiến kỳ trước chuyển sang", en="Opinions carried over"),
            cases(Fact.CARRIED_OVER),
        ),
        Column(
            "answered-in-time",
            Label(vi="Số ý kiến đã trả lời đúng hạn", en="Answered in time"),
            cases(Fact.IN_TIME),
        ),
        Column(
            "answered-late",
            Label(vi="Số ý kiến đã trả lời quá hạn", en="Answered late"),
            cases(Fact.LATE),
        ),
        Column(
            "joined",
            Label(
                vi="Số ý kiến trùng, đã nhập vào vụ việc khác",
                en="Duplicates joined to another case",
            ),
            cases(Fact.JOINED),
        ),
        Column(
            "open",
            Label(vi="Số ý kiến chưa trả lời đến cuối kỳ", en="Open at the end of the period"),
            cases(Fact.OPEN),
        ),
        Column(
            "overdue",
            Label(
                vi="Trong số ý kiến chưa trả lời: đã quá hạn",
                en="Of the open ones: overdue",
            ),
            cases(Fact.OVERDUE),
        ),
    ),
    identities=(
        Identity.parse(
            "received + carried-over = answered-in-time + answered-late + joined + open"
        ),
        Identity.parse("overdue <= open"),
        Identity.parse("agencies-with-both <= agencies-with-mailbox <= agencies"),
        Identity.parse("agencies-with-both <= agencies-with-hotline <= agencies"),
    ),
)
