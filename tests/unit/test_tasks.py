"""Ending a task that misses its cancellation."""

import asyncio

from shared.runtime.tasks import end


def forgetful(missed):
    """Works for ever, and waits as the client of NATS does for an answer that is just coming."""

    async def work():
        while True:
            answer = asyncio.get_running_loop().create_future()
            missed.append(answer)
            await asyncio.wait_for(answer, 10)

    return asyncio.create_task(work())


async def cancelled_as_the_answer_comes(missed):
    task = forgetful(missed)
    await asyncio.sleep(0)
    missed[-1].set_result(None)
    task.cancel()
    await asyncio.wait({task}, timeout=0.01)
    return task


async def test_a_task_that_missed_its_cancellation_is_ended_all_the_same():
    missed = []
    task = await cancelled_as_the_answer_comes(missed)
    still_there = not task.done()

    async with asyncio.timeout(5):
        await end(task)

    assert task.done()
    # Python 3.12 mended `wait_for`: then there is nothing to miss.
    assert still_there == (len(missed) > 1)


async def test_a_cancellation_that_is_missed_meanwhile_is_said_again():
    missed = []
    task = forgetful(missed)
    await asyncio.sleep(0)
    ending = asyncio.create_task(end(task, again_seconds=0.01))
    missed[-1].set_result(None)

    async with asyncio.timeout(5):
        await ending

    assert task.done()


async def test_how_a_task_ended_is_nobodys_error():
    async def fails():
        raise ValueError

    async def ends():
        return 1

    tasks = [asyncio.create_task(fails()), asyncio.create_task(ends())]
    await asyncio.wait(tasks)
    await end(*tasks)

    assert all(task.done() for task in tasks)


async def test_nothing_to_end_is_nothing_to_wait_for():
    await end()
