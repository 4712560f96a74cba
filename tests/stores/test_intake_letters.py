"""What intake tells of a letter that was split, and of a duplicate that was joined."""

from itertools import permutations

import pytest

from shared.contracts import CaseAccepted, CaseConcluded, CaseJoined, CaseReopened
from shared.contracts.vocabulary import Kind, Outcome
from tests.stores.test_intake_protection import (  # noqa: F401
    BODY,
    OTHER,
    assigned,
    case_event,
    intake,
    opened,
)
from tests.stores.test_intake_receipts import page  # noqa: F401

LISTED = "mat-tran-tinh"
"""The one body that the directory names."""
STANDING, ITS_BODY = "case-2", "ubkt-tinh"


def of(case, event):
    return event.model_copy(update={"subject": case})


def joined(into=STANDING, version=3):
    return case_event(CaseJoined(version=version, body=BODY, into=into, citation="TT 05/2021"))


def standing(*, lead=ITS_BODY, cooperating=()):
    return [
        of(STANDING, opened("another-submission")),
        of(STANDING, assigned(lead=lead, cooperating=cooperating)),
    ]


def concluded():
    data = CaseConcluded(version=4, body=ITS_BODY, outcome=Outcome.RIGHT, in_time=True)
    return of(STANDING, case_event(data))


def part_of(page, *, lead, beside=()):  # noqa: F811
    """The denunciation that was split from the page's letter."""
    part = opened(page.intake.submission)
    split = {"parent": "case-1", "kind": Kind.DENUNCIATION}
    part = part.model_copy(update={"data": part.data.model_copy(update=split)})
    return [of("case-0", part), of("case-0", assigned(lead=lead, cooperating=beside))]


def accepted_by_other():
    return of("case-0", case_event(CaseAccepted(version=3, body=OTHER)))


class TestDuplicate:
    async def test_the_bodies_of_the_standing_case_read_its_text(self, intake):  # noqa: F811
        await intake.cases.note([*standing(cooperating=(OTHER,)), joined()])

        assert (await intake.text(ITS_BODY))["status"] == "told"
        assert (await intake.text(OTHER))["status"] == "told"

    async def test_who_held_the_duplicate_alone_reads_it_no_more(self, intake):  # noqa: F811
        await intake.cases.note([*standing(), joined()])

        assert (await intake.text(BODY))["status"] == "not-yours"
        assert (await intake.identity(BODY))["status"] == "not-yours"

    async def test_nobody_reads_it_while_the_standing_case_is_not_known(self, intake):  # noqa: F811
        await intake.cases.note([joined()])

        assert (await intake.text(BODY))["status"] == "not-yours"

    async def test_events_in_any_order_make_one_view(self, intake):  # noqa: F811
        reopened = case_event(CaseReopened(version=4, body=BODY, citation="TT 05/2021"))
        again = joined("case-3", version=5)
        elsewhere = [of("case-3", e) for e in (opened("third"), assigned(lead=OTHER))]
        for events in permutations([joined(), reopened, again]):
            await intake.database["cases"].delete_many({})
            await intake.cases.note([opened(intake.submission), assigned(), *standing()])
            await intake.cases.note([*events, *elsewhere])

            assert (await intake.cases.find("case-1")).lead == OTHER

    async def test_its_bodies_read_it_again_once_it_is_taken_up_again(self, intake):  # noqa: F811
        reopened = case_event(CaseReopened(version=4, body=BODY, citation="TT 05/2021"))
        await intake.cases.note([*standing(), joined(), reopened])

        assert (await intake.text(BODY))["status"] == "told"
        assert (await intake.text(ITS_BODY))["status"] == "not-yours"

    async def test_duplicates_of_duplicates_lead_to_the_case_that_goes_on(self, intake):  # noqa: F811
        further = of(STANDING, joined("case-3"))
        last = [of("case-3", e) for e in (opened("third"), assigned(lead=OTHER))]
        await intake.cases.note([*standing(), joined(), further, *last])

        assert (await intake.text(OTHER))["status"] == "told"
        assert (await intake.text(ITS_BODY))["status"] == "not-yours"

    async def test_duplicates_in_a_circle_are_told_to_nobody(self, intake):  # noqa: F811
        await intake.cases.note([*standing(), joined(), of(STANDING, joined("case-1"))])

        assert (await intake.text(BODY))["status"] == "not-yours"
        assert (await intake.text(ITS_BODY))["status"] == "not-yours"


class TestReceipt:
    async def test_who_sent_a_duplicate_reads_the_state_of_the_standing_case(self, page):  # noqa: F811
        await page.intake.cases.note([*standing(lead=OTHER), joined()])
        assert (await page.ask()).json()["state"] == "assigned"

        await page.intake.cases.note([concluded()])

        told = (await page.ask()).json()
        assert told["state"] == "concluded"
        assert told["may_rate"]
        assert "kết quả giải quyết" in told["words"]["vi"]

    async def test_nothing_tells_that_others_wrote(self, page):  # noqa: F811
        """An accused who writes to find out whether somebody complained learns nothing."""
        await page.intake.cases.note(standing(lead=BODY))
        before = (await page.ask()).json()
        await page.intake.cases.note([joined()])

        assert (await page.ask()).json() == before

    async def test_each_case_of_a_letter_is_told_by_its_kind(self, page):  # noqa: F811
        await page.intake.cases.note([*part_of(page, lead=OTHER), accepted_by_other()])

        told = (await page.ask()).json()

        assert [(one["kind"], one["state"]) for one in told["cases"]] == [
            ("reflection", "assigned"),
            ("denunciation", "accepted"),
        ]
        names = [one["words"]["vi"] for one in told["cases"]]
        assert names[0].startswith("Nội dung phản ánh: Đã chuyển đến ")
        assert names[1].startswith("Nội dung tố cáo: ")
        assert names[1].endswith(" đang xem xét, giải quyết.")
        assert told["state"] == "assigned"
        assert not told["may_rate"]

    async def test_a_case_that_nobody_leads_yet_was_received(self, page):  # noqa: F811
        begun, _ = part_of(page, lead=OTHER)
        await page.intake.cases.note([begun])

        told = (await page.ask()).json()["cases"][1]
        assert (told["state"], told["words"]["en"]) == (
            "received",
            "The denunciation: Received. It is being passed to the competent body.",
        )

    async def test_nobody_is_named_but_who_leads(self, page):  # noqa: F811
        """Neither those that co-operate nor those that were kept away, nor any case's id."""
        await page.intake.cases.note(
            [
                assigned(version=3, lead=LISTED, cooperating=(BODY,)),
                *part_of(page, lead=BODY, beside=(LISTED,)),
            ]
        )

        told = (await page.ask()).json()
        assert set(told["cases"][0]) == {"kind", "state", "words"}
        assert "Mặt trận" in told["cases"][0]["words"]["vi"]
        assert "Mặt trận" not in told["cases"][1]["words"]["vi"]
        assert not [code for code in ("case-0", BODY, LISTED) if code in str(told)]

    async def test_a_part_that_is_a_duplicate_is_as_far_as_the_case_that_goes_on(self, page):  # noqa: F811
        into = of("case-0", joined())
        await page.intake.cases.note([*part_of(page, lead=OTHER), *standing(lead=BODY), into])
        before = (await page.ask()).json()["cases"][1]
        await page.intake.cases.note([concluded()])

        after = (await page.ask()).json()["cases"][1]
        assert (before["state"], after["state"]) == ("assigned", "concluded")
        assert "duplicate" not in str(after)
        assert "joined" not in str(before)

    async def test_a_case_that_was_noted_before_kinds_were_is_told_without_one(self, page):  # noqa: F811
        await page.intake.database["cases"].update_many({}, {"$unset": {"kind": ""}})

        [told] = (await page.ask()).json()["cases"]
        assert "kind" not in told
        assert told["words"] == (await page.ask()).json()["words"]

    @pytest.mark.parametrize("turned", [False, True])
    async def test_a_letter_that_was_split_is_as_far_as_its_first_case(self, page, turned):  # noqa: F811
        of_part = part_of(page, lead=OTHER)
        first = [opened(page.intake.submission), assigned()]
        await page.intake.database["cases"].delete_many({})
        await page.intake.cases.note([*of_part, *first] if turned else [*first, *of_part])

        assert (await page.intake.cases.of(page.intake.submission)).case == "case-1"
        assert (await page.intake.text(OTHER, case="case-0"))["status"] == "told"
        assert (await page.intake.text(OTHER))["status"] == "not-yours"
