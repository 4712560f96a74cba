"""A decision in words that a body's clerk can read aloud, in Vietnamese and in English.

Sentences are made of units, bodies and offices by their labels; persons have no part in them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.timeline import Course, Move, Start
from shared.contracts.case import Basis, Exclusion, Reason
from shared.contracts.directory import Label
from shared.contracts.rulebook import ConflictMethod, Rulebook

NOT_IN_FORCE = "not-in-force"
"""Stands as the rule where a body left the directory; the law has nothing to say about it."""


class Resort(StrEnum):
    """Who leads where nobody is competent and clean."""

    DESK = "desk"
    """The fallback body."""
    HIGHEST = "highest"
    """The highest clean body."""
    OUTSIDE = "outside"
    """The desk outside the directory."""


LEAD = {
    Basis.SAME_LEVEL: Label(
        vi="{body} cùng cấp với đơn vị được phản ánh là {unit} và có thẩm quyền{source}.",
        en="{body} is at the level of {unit}, the unit concerned, and is competent{source}.",
    ),
    Basis.HIGHER_LEVEL: Label(
        vi="{body} là tổ chức giám sát gần nhất có thẩm quyền ở cấp trên của {unit}{source}.",
        en="{body} is the nearest competent supervisory body above {unit}{source}.",
    ),
    Basis.CONFLICT: Label(
        vi="Tổ chức giám sát đáng lẽ chủ trì không được tham gia do xung đột lợi ích; {body} là"
        " tổ chức gần nhất có thẩm quyền đối với {unit} mà không liên quan đến vụ việc{source}.",
        en="The supervisory body that would lead may not take part because of a conflict of"
        " interest; {body} is the nearest one competent for {unit} and not concerned{source}.",
    ),
}
BY_LOAD = Label(
    vi=" Trong các tổ chức ngang nhau, tổ chức này đang có ít vụ việc chưa giải quyết xong hơn.",
    en=" Among equal bodies it has fewer open cases.",
)
RESORT = {
    Resort.DESK: Label(
        vi="Không tổ chức giám sát nào vừa có thẩm quyền vừa không liên quan đến vụ việc; {body}"
        " là đầu mối dự phòng được chỉ định nên chủ trì.",
        en="No supervisory body is both competent and not concerned; {body} leads as the named"
        " fallback desk.",
    ),
    Resort.HIGHEST: Label(
        vi="Không tổ chức nào vừa có thẩm quyền vừa không liên quan đến vụ việc, và đầu mối dự"
        " phòng cũng không thể chủ trì; {body} chủ trì vì là tổ chức cấp cao nhất không liên quan.",
        en="No body is both competent and not concerned, and the fallback desk cannot lead either;"
        " {body} leads as the highest body that is not concerned.",
    ),
    Resort.OUTSIDE: Label(
        vi="Không còn tổ chức giám sát nào trong danh bạ có thể chủ trì mà không liên quan đến vụ"
        " việc; vụ việc được chuyển đến đầu mối cấp trên ngoài danh bạ ({body}).",
        en="No supervisory body in the directory is left that is not concerned; the matter goes to"
        " the superior desk outside the directory ({body}).",
    ),
}
COURSE = {
    Move.EQUAL_ELSEWHERE: Label(
        vi="Người bị phản ánh đã chuyển sang chức vụ tương đương ở {beside}: tổ chức có thẩm quyền"
        " ở cấp trên của {lead}, nơi công tác khi xảy ra hành vi, chủ trì{source}.",
        en="The person concerned moved to an equal office at {beside}: the competent body above"
        " {lead}, where the act took place, leads{source}.",
    ),
    Move.BECAME_HEAD: Label(
        vi="Người bị phản ánh nay là người đứng đầu {lead}: tổ chức có thẩm quyền ở cấp trên của"
        " đơn vị đó chủ trì{source}.",
        en="The person concerned now heads {lead}: the competent body above that unit"
        " leads{source}.",
    ),
    Move.PROMOTED: Label(
        vi="Người bị phản ánh nay giữ chức vụ cao hơn ở {lead}: tổ chức có thẩm quyền đối với đơn"
        " vị đó chủ trì{source}.",
        en="The person concerned now holds a higher office at {lead}: the body competent for that"
        " unit leads{source}.",
    ),
    Move.OTHERWISE: Label(
        vi="Người bị phản ánh không còn giữ chức vụ khi đó ở {lead}: tổ chức có thẩm quyền đối với"
        " đơn vị đó chủ trì{source}.",
        en="The person concerned no longer holds the office of that time at {lead}: the body"
        " competent for that unit leads{source}.",
    ),
}
BESIDE = {
    False: Label(
        vi="{body} phối hợp giải quyết vì có thẩm quyền đối với {unit}, nơi người bị phản ánh công"
        " tác khi xảy ra hành vi{source}.",
        en="{body} co-operates, being competent for {unit}, where the person concerned served at"
        " the time of the act{source}.",
    ),
    True: Label(
        vi="{body} phối hợp giải quyết vì có thẩm quyền ở cấp trên của {unit}, nơi người bị phản"
        " ánh đang công tác{source}.",
        en="{body} co-operates, being competent above {unit}, where the person concerned serves"
        " now{source}.",
    ),
}
"""By whether it was looked for above the unit, as only an equal office elsewhere asks for."""

TRANSFER = Label(
    vi="{before} chuyển vụ việc để {body} chủ trì{source}.",
    en="{before} handed the case over to {body}, which leads it now{source}.",
)
ESCALATION = {
    True: Label(
        vi="Hết thời hạn mà {before} chưa thực hiện; {body} tiếp nhận và chủ trì{source}.",
        en="A term ended and {before} had not acted; {body} takes the lead{source}.",
    ),
    False: Label(
        vi="Hết thời hạn mà {before} chưa thực hiện; {body} tham gia để đôn đốc{source}.",
        en="A term ended and {before} had not acted; {body} joins to urge it{source}.",
    ),
}
"""By whether the body up the ladder takes over."""

EXCLUDED = {
    ConflictMethod.ACCUSED_SITS_IN_BODY: Label(
        vi="{body} không được tham gia vì {office}, chức vụ mà người bị phản ánh đang hoặc từng"
        " giữ, đứng đầu hoặc là thành viên của tổ chức này{source}.",
        en="{body} may not take part: {office}, an office that the person concerned holds or has"
        " held, heads it or sits in it{source}.",
    ),
    ConflictMethod.ACCUSED_HEADS_SUPERIOR: Label(
        vi="{body} không được tham gia vì {office}, chức vụ mà người bị phản ánh đang hoặc từng"
        " giữ, đứng đầu đơn vị của tổ chức này hoặc đơn vị cấp trên{source}.",
        en="{body} may not take part: {office}, an office that the person concerned holds or has"
        " held, heads the unit of this body or one above it{source}.",
    ),
    ConflictMethod.DEPUTY_OF_ACCUSED: Label(
        vi="{body} không được tham gia vì người giữ chức vụ {office}, đứng đầu hoặc là thành viên"
        " của tổ chức này, là cấp phó hoặc cấp dưới của người bị phản ánh{source}.",
        en="{body} may not take part: whoever holds {office}, heading it or sitting in it, is a"
        " deputy of the person concerned or serves under them{source}.",
    ),
    ConflictMethod.DECLARED_RELATION: Label(
        vi="{body} không được tham gia vì trong tổ chức này có người đã được kê khai là có quan hệ"
        " thân thích hoặc lợi ích liên quan với người bị phản ánh{source}.",
        en="{body} may not take part: somebody in it is declared to be close to the person"
        " concerned{source}.",
    ),
    ConflictMethod.RECUSED: Label(
        vi="{body} không tham gia vì đã tự từ chối những vụ việc như vậy bằng quyết định ghi trong"
        " danh bạ{source}.",
        en="{body} does not take part: it recused itself from such matters by a decision recorded"
        " in the directory{source}.",
    ),
    ConflictMethod.AUTHOR_BODY: Label(
        vi="{body} không được tham gia vì chính tổ chức này gửi đơn{source}.",
        en="{body} may not take part: it wrote the submission itself{source}.",
    ),
}

GONE = Label(
    vi="{body} không còn là tổ chức giám sát đang hoạt động trong danh bạ.",
    en="{body} is no longer in force in the directory.",
)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says one decision: by the directory of the day `on`, under one rule of competence."""

    directory: DirectoryIndex
    on: date
    acted: date
    rule: str
    citation: str

    def lead(self, body: str, basis: Basis, unit: str, *, chosen_by_load: bool) -> Reason:
        said = self._said(LEAD[basis], body=self._body(body), unit=self._unit(unit))
        if not chosen_by_load:
            return said
        longer = {"vi": said.vi + BY_LOAD.vi, "en": said.en + (BY_LOAD.en or BY_LOAD.vi)}
        return said.model_copy(update=longer)

    def resort(self, body: str, resort: Resort) -> Reason:
        return self._said(RESORT[resort], body=self._body(body))

    def course(self, course: Course) -> Reason | None:
        """Why the search begins where it does; None where nobody has moved."""
        if course.move is Move.NONE:
            return None
        beside = self._unit(course.beside.unit if course.beside else course.lead.unit)
        return self._said(COURSE[course.move], lead=self._unit(course.lead.unit), beside=beside)

    def beside(self, body: str, start: Start) -> Reason:
        return self._said(BESIDE[start.above], body=self._body(body), unit=self._unit(start.unit))

    def transfer(self, body: str, before: str) -> Reason:
        return self._said(TRANSFER, body=self._body(body), before=self._body(before))

    def escalation(self, body: str, before: str, *, takes_over: bool) -> Reason:
        template = ESCALATION[takes_over]
        return self._said(template, body=self._body(body), before=self._body(before))

    def gone(self, body: str) -> Reason:
        """Of a body that the next directory ends; said by one that has it still."""
        return self._said(GONE, body=self._body(body))

    def excluded(
        self, found: Iterable[Exclusion], spoken: Collection[str], rulebook: Rulebook
    ) -> tuple[Exclusion, ...]:
        """The same exclusions; those of the bodies in `spoken` with their reason in words."""
        return tuple(
            e.model_copy(update={"reason": self._exclusion(e, rulebook)}) if e.body in spoken else e
            for e in found
        )

    def _exclusion(self, exclusion: Exclusion, rulebook: Rulebook) -> Reason:
        rule = next(
            rule
            for rule in rulebook.conflicts
            if rule.code == exclusion.rule and rule.in_force(self.on)
        )
        body, office = self._body(exclusion.body), self._office(exclusion.office)
        of_rule = Speaker(self.directory, self.on, self.acted, rule.code, rule.citation)
        return of_rule._said(EXCLUDED[rule.method], body=body, office=office)

    def _said(self, template: Label, **labels: Label) -> Reason:
        vi = {name: label.vi for name, label in labels.items()}
        en = {name: label.en or label.vi for name, label in labels.items()}
        return Reason(
            rule=self.rule,
            citation=self.citation,
            vi=template.vi.format(source=self._source(", theo {}"), **vi),
            en=(template.en or template.vi).format(source=self._source(", under {}"), **en),
        )

    def _source(self, form: str) -> str:
        return form.format(self.citation) if self.citation else ""

    def _body(self, code: str) -> Label:
        body = self.directory.body(code, self.on)
        return body.name if body else Label(vi=code)

    def _unit(self, code: str) -> Label:
        unit = self.directory.unit(code, self.on) or self.directory.unit(code, self.acted)
        return unit.name if unit else Label(vi=code)

    def _office(self, code: str | None) -> Label:
        office = self.directory.office(code, self.on) if code else None
        return office.title if office else Label(vi=code or "")
