"""What somebody may do under a receipt code, over HTTP, on real stores."""

from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from services.intake.domain.receipt import shown
from services.intake.handlers import UnderReceipt
from services.intake.sources.http import Credentials, routes
from services.intake.store import MongoOutbox, MongoRecords
from shared.contracts import CaseConcluded
from shared.contracts.vocabulary import Outcome
from tests.stores.test_intake_protection import BODY, Intake, case_event, intake  # noqa: F401

UNKNOWN = "123 " * 9


class Page:
    """The receipt page's questions; `intake` has one call, `code` is its receipt."""

    def __init__(self, intake, folder):  # noqa: F811
        self.intake, stores = intake, intake.stores
        self.under = UnderReceipt(
            stores.receipts,
            intake.cases,
            intake.contents,
            stores.conversations,
            MongoRecords(intake.database, "ratings"),
            stores.data_keys,
            stores.rules,
            self.now,
            lambda: None,
        )
        app = Starlette(
            routes=routes(
                self.nobody,
                Credentials(folder / "agencies.json"),
                self.now,
                key=b"k" * 32,
                fates=stores.arrivals,
                knows=self.nobody,
                under_receipt=self.under,
            )
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://intake"
        )

    async def nobody(self, *_):
        return False

    def now(self):
        self.intake.at += timedelta(seconds=1)
        return self.intake.at

    async def ask(self, path="", **question):
        return await self.client.post(f"/v1/receipt{path}", json={"code": self.code} | question)


@pytest.fixture
async def page(intake, tmp_path):  # noqa: F811
    page = Page(intake, tmp_path)
    page.code = await intake.stores.receipts.give(intake.submission)
    return page


class TestUnderReceipt:
    async def test_it_says_how_far_the_matter_is_in_words(self, page):
        told = (await page.ask()).json()

        assert told["state"] == "assigned"
        assert told["words"]["vi"].startswith("Đã chuyển đến")

    async def test_a_code_may_be_typed_in_groups(self, page):
        assert (await page.ask(code=shown(page.code))).status_code == 200

    async def test_unknown_and_malformed_codes_get_one_answer(self, page):
        answers = [await page.ask(code=code) for code in (UNKNOWN, "", "12", page.code[:-1] + "x")]

        assert {(a.status_code, a.text) for a in answers} == {(404, answers[0].text)}

    async def test_both_sides_speak_without_knowing_one_another(self, page):
        await page.intake.say(text="Xin cho biết ngày nộp hồ sơ.")
        said = await page.ask("/messages", text="Ngày 12 tháng 2.")

        conversation = (await page.ask()).json()["conversation"]
        assert said.status_code == 202
        assert [(one["by"], one["text"]["text"]) for one in conversation] == [
            ("body", "Xin cho biết ngày nộp hồ sơ."),
            ("reporter", "Ngày 12 tháng 2."),
        ]
        told = (await page.intake.text())["content"]["conversation"]
        assert told == conversation

    async def test_the_same_message_twice_is_one(self, page):
        for _ in range(2):
            await page.ask("/messages", text="Bổ sung.", idempotency_key="k" * 20)

        assert len((await page.ask()).json()["conversation"]) == 1

    async def test_files_are_kept_and_told_of(self, page):
        file = {"name": "anh.png", "content_type": "image/png", "content": "iVBORw0KGgo="}
        await page.ask("/messages", text="Ảnh.", attachments=[file])

        [said] = (await page.ask()).json()["conversation"]
        assert said["text"]["files"][0]["name"] == "anh.png"
        [event] = await MongoOutbox(page.intake.database).waiting(10)
        assert event.data.files == 1

    async def test_an_answer_is_rated_once(self, page):
        assert (await page.ask("/rating", score=5)).status_code == 404
        concluded = CaseConcluded(version=4, body=BODY, outcome=Outcome.RIGHT, in_time=True)
        await page.intake.cases.note([case_event(concluded)])
        assert (await page.ask()).json()["may_rate"]

        assert (await page.ask("/rating", score=5)).status_code == 202
        await page.ask("/rating", score=1)
        [rated] = await MongoOutbox(page.intake.database).waiting(10)
        assert rated.data.score == 5

    @pytest.mark.parametrize(
        ("path", "question", "field"),
        [
            ("/rating", {"score": 6}, "/score"),
            ("/messages", {}, "/text"),
            ("", {"more": 1}, "/more"),
        ],
    )
    async def test_a_wrong_field_is_named(self, page, path, question, field):
        answer = await page.ask(path, **question)

        assert answer.status_code == 422
        assert answer.json()["problems"][0]["field"] == field

    async def test_after_erasure_the_code_is_unknown(self, page):
        await page.intake.order("erase")

        assert (await page.ask()).status_code == 404

    async def test_the_database_holds_no_code(self, page):
        receipts = [d async for d in page.intake.database["receipts"].find()]

        assert page.code not in str(receipts)
        assert len(receipts[0]["_id"]) == 32
