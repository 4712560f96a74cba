"""The same matter in other words is suggested, bounded, and never merged."""

import pytest

from services.intake.handlers import receiver, relater
from services.intake.store import MongoMatters, MongoOutbox, MongoRecords
from tests.examples_intake import (
    NOON,
    call,
    directory_published,
    rulebook_published,
    sent,
)
from tests.fakes_intake import receiving
from tests.stores.test_intake_stores import in_mongo

CALL = "hotline-call.logged.v1"
LONG = (
    "Tôi đã nộp hồ sơ đất đai từ tháng hai, cán bộ bộ phận một cửa hẹn lại ba lần, mỗi lần một lý "
    "do khác nhau, và đến hôm nay vẫn chưa có kết quả, đề nghị cơ quan xem xét giải quyết."
)


class Intake:
    def __init__(self, stores, database):
        self.database, self.matters = database, MongoMatters(database)
        self.receive = receiver(receiving(stores))
        self.relate = relater(self.matters, MongoRecords(database, "relations"))

    async def take(self, *notes, agency="a017", first=1):
        arrivals = [
            sent(CALL, call(note=note, call=f"c{n}"), item=f"i{n}", sequence=n, agency=agency)
            for n, note in enumerate(notes, first)
        ]
        return [event.subject for event in await self.receive(arrivals)]

    async def suggested(self):
        return [(e.subject, e.data.earlier) for e in await MongoOutbox(self.database).waiting(9999)]


@pytest.fixture
async def intake(mongo_database):
    stores = await in_mongo(mongo_database)
    await stores.rules.keep([directory_published()], [rulebook_published()])
    intake = Intake(stores, mongo_database)
    await intake.matters.prepare()
    return intake


@pytest.mark.parametrize("together", [True, False])
async def test_it_is_suggested_with_its_score(intake, together):
    first, *_ = await intake.take(LONG)
    if not together:
        await intake.relate(NOON)
    second, *_ = await intake.take(f"Kính gửi cơ quan. {LONG}", first=2)
    assert await intake.relate(NOON) == 1

    [event] = await MongoOutbox(intake.database).waiting(10)
    assert {event.subject, event.data.earlier} == {first, second}
    assert event.data.link == "same-matter"
    assert event.data.score > 0.5


async def test_nothing_is_looked_at_twice(intake):
    await intake.take(LONG, LONG + " Xin cảm ơn.")

    assert await intake.relate(NOON) == 1
    assert await intake.relate(NOON) == 0


async def test_a_crash_before_the_end_suggests_the_same_again(intake, monkeypatch):
    await intake.take(LONG, LONG + " Xin cảm ơn.")

    async def crash(_self, _bands):
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(MongoMatters, "place", crash)
        with pytest.raises(ConnectionError):
            await intake.relate(NOON)
    await intake.relate(NOON)

    assert len(await intake.suggested()) == 1


async def test_other_matters_and_other_units_are_not_suggested(intake):
    await intake.take(LONG)
    await intake.take(LONG, agency="a018", first=2)
    await intake.take("Đèn đường trước cổng trường tắt cả tuần nay, học sinh đi lại ban đêm rất "
                      "nguy hiểm, đã báo hai lần mà chưa ai đến sửa.", first=3)  # fmt: skip
    await intake.relate(NOON)

    assert await intake.suggested() == []


async def test_a_form_letter_of_hundreds_stays_bounded(intake):
    await intake.take(*(f"{LONG} Tổ dân phố số {n}." for n in range(300)))
    await intake.relate(NOON)

    suggested = await intake.suggested()
    assert 290 <= len(suggested) <= 900
    assert len(set(suggested)) == len(suggested)


async def test_no_word_of_a_text_is_kept_for_it(intake):
    await intake.take(LONG)
    await intake.relate(NOON)

    [document] = [d async for d in intake.database["submissions"].find()]
    assert "hồ sơ" not in str(document["matter"])
    assert len(document["matter"]["signature"]) == 512
