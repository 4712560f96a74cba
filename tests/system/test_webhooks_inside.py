"""No webhook reaches anything inside, by the whole path (T-22)."""

import pytest

from tests.fakes_push import PUBLIC, Leading
from tests.pushing import ONE, TWO, hook, pushing
from tests.receivers_push import HOST, authority, counted
from tests.unit.test_reporting_push import ADDRESSES, URLS

__all__ = ["pushing"]


class TestWhatIsNeverReached:
    async def test_no_address_leads_to_this_machine(self, pushing):
        """Every case of the unit test by the whole path: what was written, what a name gives."""
        by_url = [hook(f"url-{place}", url) for place, url in enumerate(URLS)]
        by_name = [
            hook(f"name-{place}", f"https://n{place}.example.org/in")
            for place in range(len(ADDRESSES) * 2)
        ]
        found = {
            f"n{2 * place + mixed}.example.org": [PUBLIC] * mixed + [address]
            for place, address in enumerate(ADDRESSES)
            for mixed in (0, 1)
        }
        await pushing.publish(ONE)
        await pushing.add(*by_url, *by_name)
        async with counted() as inside:
            net = Leading(inside.port)

            async def resolve(host):
                net.asked.append(host)
                return found[host]

            net.resolve = resolve
            async with pushing.running(net, delays=(60.0,)):
                for each in (*by_url, *by_name):
                    standing = await pushing.until(lambda s: s.failures, each.id)
                    assert standing.reason == "refused", each.url

            assert (net.connected, inside.count) == ([], 0)
            assert set(net.asked) == found.keys()
            assert len(by_url) + len(by_name) >= 60

    async def test_a_name_that_is_bound_anew_is_reached_once(self, pushing):
        await pushing.publish(ONE, TWO)
        await pushing.add(hook())
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        async with counted(answer, pushing.tls.served()) as receiver:
            net = Leading(receiver.port, [PUBLIC, "127.0.0.1"])
            async with pushing.running(net, delays=(60.0,)):
                standing = await pushing.until(lambda s: s.number == 2 and s.failures)

        assert standing.reason == "refused"
        assert (net.connected, receiver.count) == ([(PUBLIC, 443)], 1)

    async def test_a_redirect_to_this_machine_is_a_failure(self, pushing):
        await pushing.publish(ONE)
        await pushing.add(hook())
        async with counted() as inside:
            moved = (
                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
                f"Location: http://127.0.0.1:{inside.port}/\r\n\r\n"
            )
            async with counted(moved.encode(), pushing.tls.served()) as receiver:
                net = Leading(receiver.port)
                async with pushing.running(net, delays=(60.0,)):
                    standing = await pushing.until(lambda s: s.failures)

            assert standing.reason == "302"
            assert (receiver.count, inside.count, len(net.connected)) == (1, 0, 1)

    @pytest.mark.parametrize("wrong", ["host", "authority", "no TLS"])
    async def test_who_cannot_show_the_hosts_certificate_is_told_nothing(
        self, pushing, wrong, tmp_path
    ):
        other = authority(tmp_path / "other", "other.example.org" if wrong == "host" else HOST)
        served = None if wrong == "no TLS" else other.served()
        if wrong == "host":
            pushing.tls = other
        await pushing.publish(ONE)
        await pushing.add(hook())
        async with (
            counted(b"HTTP/1.1 204 No Content\r\n\r\n", served) as receiver,
            pushing.running(Leading(receiver.port), delays=(60.0,), seconds=1.0),
        ):
            await pushing.until(lambda s: s.failures)

        assert receiver.heads == []
