"""Reporting's real process dies by SIGKILL while it publishes: each report is out exactly once."""

from tests.killing_reporting import Ordeal, broken, undisturbed

MONTH = 3
PARTS = (0.3, 0.4, 0.5)
"""Of what is to come when it is killed."""


async def test_killed_started_twice_and_told_late_each_revision_of_each_report_is_out_once(
    tmp_path,
):
    async with Ordeal.on(tmp_path) as ordeal:
        kills = await ordeal.month(MONTH, PARTS)
        found = await ordeal.said()

    assert [kill.in_the_middle for kill in kills] == [True] * len(kills), kills
    assert broken(found, await undisturbed([MONTH])) == []
    assert max(len(said) for said in found.values()) >= 2


async def test_a_report_that_is_missing_twice_out_or_another_is_named():
    expected = await undisturbed([MONTH])
    first, second, third, *_ = (each for each in sorted(expected) if "01-xld" in each)
    changed = {
        **{subject: said for subject, said in expected.items() if subject != first},
        second: [expected[second][0], *expected[second]],
        third: [(1, "another"), *expected[third][1:]],
    }

    assert broken(expected, expected) == []
    assert broken(changed, expected) == sorted(
        [
            f"{first} is missing",
            f"{second} has the revisions [1, 1, 2]",
            f"{third} begins with another report",
        ]
    )
