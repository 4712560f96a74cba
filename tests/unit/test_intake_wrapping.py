"""Key wrapping: keys in a file and keys in a key service keep the same promises."""

import asyncio
import json
import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from services.intake.wrapping import (
    BoundElsewhere,
    FileWrapping,
    KeyGone,
    TransitWrapping,
    Wrapped,
    Wrapping,
    WrappingAway,
    dropped,
    rotated,
)

KEYS = [bytes([n]) * 32 for n in range(5)]
BOUND = [f"submission-{n}/text".encode() for n in range(5)]
TOKEN = "s.token"
TOO_OLD = "ciphertext or signature version is disallowed by policy (too old)"


def key_file(**more) -> bytes:
    content = {"current": "k1", "keys": {"k1": b64encode(b"1" * 32).decode()}}
    return json.dumps(content | more).encode()


class FakeTransit:
    """Vault's transit engine as its source has it: versions, batches, errors of single items.

    Its `rewrap` takes no associated data, as the real one's.
    """

    def __init__(self) -> None:
        self.versions: list[bytes] = [os.urandom(32)]
        self.oldest = 1
        self.exists = True
        self.answers: list[tuple[int, object]] = []
        self.application = Starlette(
            routes=[Route("/v1/{mount}/{operation}/{key}", self.answer, methods=["POST"])]
        )

    def rotate(self) -> None:
        self.versions.append(os.urandom(32))

    async def answer(self, request: Request) -> JSONResponse:
        if request.headers.get("X-Vault-Token") != TOKEN:
            return JSONResponse({"errors": ["permission denied"]}, 403)
        if self.answers:
            status, content = self.answers.pop(0)
            return JSONResponse(content, status)
        place = request.path_params
        if place["mount"] != "transit" or place["key"] != "langnghe" or not self.exists:
            return JSONResponse({"errors": ["encryption key not found"]}, 400)
        items = (await request.json()).get("batch_input")
        if not items:
            return JSONResponse({"errors": ["missing batch input to process"]}, 400)
        results = [self._one(place["operation"], item) for item in items]
        status = 400 if any("error" in result for result in results) else 200
        return JSONResponse({"request_id": "r", "data": {"batch_results": results}}, status)

    def _one(self, operation: str, item: dict[str, str]) -> dict[str, object]:
        bound = b64decode(item.get("associated_data", ""))
        try:
            match operation:
                case "encrypt":
                    return self._encrypted(b64decode(item["plaintext"]), bound)
                case "decrypt":
                    opened = self._decrypted(item["ciphertext"], bound)
                    return {"plaintext": b64encode(opened).decode()}
                case _:
                    return self._encrypted(self._decrypted(item["ciphertext"], b""), b"")
        except InvalidTag:
            return {"error": "cipher: message authentication failed"}
        except ValueError as error:
            return {"error": str(error)}

    def _encrypted(self, content: bytes, bound: bytes) -> dict[str, object]:
        version, nonce = len(self.versions), os.urandom(12)
        sealed = nonce + AESGCM(self.versions[-1]).encrypt(nonce, content, bound)
        return {"ciphertext": f"vault:v{version}:{b64encode(sealed).decode()}", "key_version": 1}

    def _decrypted(self, ciphertext: str, bound: bytes) -> bytes:
        prefix, _, rest = ciphertext.partition("vault:v")
        version, _, content = rest.partition(":")
        if prefix or not version.isdecimal():
            raise ValueError("invalid ciphertext: no prefix")
        if int(version) > len(self.versions):
            raise ValueError("invalid ciphertext: version is too new")
        if int(version) < self.oldest:
            raise ValueError(TOO_OLD)
        try:
            sealed = b64decode(content)
        except ValueError:
            raise ValueError("invalid ciphertext: could not decode base64") from None
        return AESGCM(self.versions[int(version) - 1]).decrypt(sealed[:12], sealed[12:], bound)


class InFile:
    """Turns the key file as an operator does, beside a process that has it open."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "intake.kek"
        self.path.write_bytes(key_file())
        self.wrapping: Wrapping = FileWrapping.from_file(self.path)
        self._names, self._turns = ["k1"], 1

    def rotate(self) -> None:
        self._turns += 1
        self._names.append(f"k{self._turns}")
        self.replace(rotated(self.path.read_bytes(), self._names[-1], os.urandom(32)))

    def drop_old(self) -> None:
        for name in self._names[:-1]:
            self.replace(dropped(self.path.read_bytes(), name))
        self._names = self._names[-1:]

    def take_away(self) -> None:
        self.path.unlink()

    def replace(self, content: bytes) -> None:
        new = self.path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.path)


class InTransit:
    def __init__(self) -> None:
        self.server = FakeTransit()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.server.application))
        self.wrapping: Wrapping = transit(self.client)

    def rotate(self) -> None:
        self.server.rotate()

    def drop_old(self) -> None:
        self.server.oldest = len(self.server.versions)

    def take_away(self) -> None:
        self.server.answers = [(503, {"errors": ["Vault is sealed"]})] * 9


def transit(client: httpx.AsyncClient, url: str = "http://vault", token: str = TOKEN):
    return TransitWrapping(url, "transit", "langnghe", lambda: token, client)


@pytest.fixture(params=["file", "transit"])
async def keys(request, tmp_path) -> AsyncIterator[InFile | InTransit]:
    if request.param == "file":
        yield InFile(tmp_path)
        return
    kept = InTransit()
    yield kept
    await kept.client.aclose()


@pytest.fixture
async def vault() -> AsyncIterator[InTransit]:
    kept = InTransit()
    yield kept
    await kept.client.aclose()


class TestEveryWrapping:
    async def test_what_is_wrapped_unwraps_in_order(self, keys):
        wrapped = await keys.wrapping.wrap(KEYS, BOUND)

        assert await keys.wrapping.unwrap(wrapped, BOUND) == KEYS

    async def test_an_empty_batch_is_an_empty_answer(self, keys):
        assert list(await keys.wrapping.wrap([], [])) == []
        assert list(await keys.wrapping.unwrap([], [])) == []
        assert list(await keys.wrapping.rewrap([], [])) == []

    async def test_no_key_lies_in_what_is_kept(self, keys):
        wrapped = await keys.wrapping.wrap(KEYS, BOUND)

        for key, one in zip(KEYS, wrapped, strict=True):
            assert key not in one.content
            assert b64encode(key).rstrip(b"=") not in one.content

    async def test_one_key_wrapped_twice_looks_different(self, keys):
        one, other = await keys.wrapping.wrap(KEYS[:1] * 2, BOUND[:1] * 2)

        assert one.content != other.content

    async def test_a_key_unwraps_for_nothing_else_than_it_belongs_to(self, keys):
        wrapped = await keys.wrapping.wrap(KEYS, BOUND)
        exchanged = [BOUND[0], BOUND[2], BOUND[1], *BOUND[3:]]

        with pytest.raises(BoundElsewhere) as refused:
            await keys.wrapping.unwrap(wrapped, exchanged)

        assert refused.value.positions == (1, 2)

    @pytest.mark.parametrize(
        "change", [lambda c: b"", lambda c: c[:-1], lambda c: c[:20] + b"\xff"]
    )
    async def test_a_changed_one_does_not_unwrap(self, keys, change):
        one, other = await keys.wrapping.wrap(KEYS[:2], BOUND[:2])

        with pytest.raises(BoundElsewhere) as refused:
            await keys.wrapping.unwrap([one, Wrapped(other.kek, change(other.content))], BOUND[:2])

        assert refused.value.positions == (1,)

    async def test_lists_of_two_lengths_are_refused(self, keys):
        with pytest.raises(ValueError, match="zip"):
            await keys.wrapping.wrap(KEYS, BOUND[:-1])

    async def test_after_a_rotation_the_old_ones_still_unwrap(self, keys):
        wrapped = await keys.wrapping.wrap(KEYS, BOUND)

        keys.rotate()

        assert await keys.wrapping.unwrap(wrapped, BOUND) == KEYS

    async def test_after_a_rotation_new_ones_name_the_new_key(self, keys):
        [old] = await keys.wrapping.wrap(KEYS[:1], BOUND[:1])

        keys.rotate()
        [new] = await keys.wrapping.wrap(KEYS[:1], BOUND[:1])

        assert new.kek != old.kek

    async def test_what_is_rewrapped_outlives_the_old_key(self, keys):
        wrapped = await keys.wrapping.wrap(KEYS, BOUND)
        keys.rotate()

        again = await keys.wrapping.rewrap(wrapped, BOUND)
        keys.drop_old()

        assert await keys.wrapping.unwrap(again, BOUND) == KEYS

    async def test_old_and_new_ones_are_rewrapped_together(self, keys):
        old = await keys.wrapping.wrap(KEYS[:2], BOUND[:2])
        keys.rotate()
        new = await keys.wrapping.wrap(KEYS[2:], BOUND[2:])

        again = await keys.wrapping.rewrap([*old, *new], BOUND)

        assert {one.kek for one in again} == {new[0].kek}
        assert await keys.wrapping.unwrap(again, BOUND) == KEYS

    async def test_what_its_key_wrapped_is_gone_with_it(self, keys):
        old = await keys.wrapping.wrap(KEYS[:2], BOUND[:2])
        keys.rotate()
        new = await keys.wrapping.wrap(KEYS[2:], BOUND[2:])
        keys.drop_old()

        with pytest.raises(KeyGone) as lost:
            await keys.wrapping.unwrap([new[0], *old, *new[1:]], [BOUND[2], *BOUND[:2], *BOUND[3:]])

        assert lost.value.positions == (1, 2)

    async def test_rewrapping_keeps_what_each_belongs_to(self, keys):
        wrapped = await keys.wrapping.wrap(KEYS[:1], BOUND[:1])

        with pytest.raises(BoundElsewhere):
            await keys.wrapping.rewrap(wrapped, BOUND[1:2])

    async def test_while_keys_are_away_one_must_wait(self, keys):
        wrapped = await keys.wrapping.wrap(KEYS, BOUND)
        keys.take_away()

        for asked in (
            keys.wrapping.wrap(KEYS, BOUND),
            keys.wrapping.unwrap(wrapped, BOUND),
            keys.wrapping.rewrap(wrapped, BOUND),
        ):
            with pytest.raises(WrappingAway):
                await asked

    async def test_reads_never_fail_while_keys_turn(self, keys):
        """T-29: rotate, rewrap and drop under traffic."""
        kept = dict(enumerate(await keys.wrapping.wrap(KEYS, BOUND)))
        for _ in range(3):
            keys.rotate()
            for at in range(len(KEYS)):
                assert await keys.wrapping.unwrap(list(kept.values()), BOUND) == KEYS
                [kept[at]] = await keys.wrapping.rewrap([kept[at]], [BOUND[at]])
            keys.drop_old()

        assert await keys.wrapping.unwrap(list(kept.values()), BOUND) == KEYS


class TestFileWrapping:
    async def test_two_processes_follow_one_file(self, tmp_path):
        one = InFile(tmp_path)
        other = FileWrapping.from_file(one.path)

        one.rotate()
        wrapped = await one.wrapping.wrap(KEYS, BOUND)

        assert await other.unwrap(wrapped, BOUND) == KEYS

    async def test_no_process_wraps_under_a_key_that_was_dropped(self, tmp_path):
        kept = InFile(tmp_path)
        await kept.wrapping.wrap(KEYS, BOUND)

        kept.rotate()
        kept.drop_old()

        assert {one.kek for one in await kept.wrapping.wrap(KEYS, BOUND)} == {"k2"}

    def test_a_rotation_keeps_the_other_members(self):
        content = json.loads(rotated(key_file(fingerprint="f"), "k2", b"2" * 32))

        assert (content["current"], content["fingerprint"]) == ("k2", "f")
        assert content["keys"].keys() == {"k1", "k2"}

    @pytest.mark.parametrize(
        ("name", "key"), [("k1", b"2" * 32), ("k2", b"2" * 16), ("", b"2" * 32)]
    )
    def test_a_rotation_to_a_used_name_or_a_short_key_is_refused(self, name, key):
        with pytest.raises(ValueError):
            rotated(key_file(), name, key)

    @pytest.mark.parametrize("name", ["k1", "k9"])
    def test_only_an_old_key_can_be_dropped(self, name):
        with pytest.raises(ValueError):
            dropped(key_file(), name)

    @pytest.mark.parametrize(
        "content",
        [
            *(
                b"",
                b"{}",
                b"[]",
                b'{"current": "k1", "keys": {}}',
                b'{"current": 1, "keys": {"1": 1}}',
            ),
            b'{"current": "k1", "keys": {"k1": "c2hvcnQ="}}',
        ],
    )
    def test_what_is_no_key_file_is_away_and_never_quoted(self, tmp_path, content):
        path = tmp_path / "intake.kek"
        path.write_bytes(content)

        with pytest.raises(WrappingAway) as away:
            FileWrapping.from_file(path)

        assert "c2hvcnQ" not in str(away.value)


class TestTransitWrapping:
    async def test_the_kek_names_key_and_version(self, vault):
        vault.rotate()

        [wrapped] = await vault.wrapping.wrap(KEYS[:1], BOUND[:1])

        assert wrapped.kek == "langnghe:v2"
        assert wrapped.content.startswith(b"vault:v2:")

    async def test_a_deleted_key_is_gone(self, vault):
        wrapped = await vault.wrapping.wrap(KEYS, BOUND)
        vault.server.exists = False

        with pytest.raises(KeyGone) as lost:
            await vault.wrapping.unwrap(wrapped, BOUND)

        assert lost.value.positions == (0, 1, 2, 3, 4)

    async def test_a_version_that_never_was_is_gone(self, vault):
        vault.rotate()
        wrapped = await vault.wrapping.wrap(KEYS, BOUND)
        vault.server.versions.pop()  # deleted, and made again under the same name

        with pytest.raises(KeyGone):
            await vault.wrapping.unwrap(wrapped, BOUND)

    @pytest.mark.parametrize(
        ("status", "content"),
        [
            *((500, {"errors": ["internal error"]}), (503, {"errors": ["Vault is sealed"]})),
            *((429, {"errors": ["rate limit"]}), (403, {"errors": ["permission denied"]})),
            *((404, {"errors": []}), (200, {}), (200, []), (200, None), (200, {"data": None})),
            *((200, {"data": {"batch_results": []}}), (200, {"data": {"batch_results": [1] * 5}})),
            (200, {"data": {"batch_results": [{"ciphertext": ""}] * 5}}),
            (200, {"data": {"batch_results": [{"ciphertext": "vault"}] * 5}}),
            (400, {"data": {"batch_results": [{"error": "provided for non-AEAD cipher"}] * 5}}),
            (500, {"data": {"batch_results": [{"error": "internal"}] + [{"ciphertext": "x"}] * 4}}),
        ],
    )
    async def test_an_answer_that_says_neither_is_waited_out(self, vault, status, content):
        vault.server.answers = [(status, content)]

        with pytest.raises(WrappingAway):
            await vault.wrapping.wrap(KEYS, BOUND)

    async def test_a_wrong_token_is_waited_out_and_never_quoted(self, vault):
        with pytest.raises(WrappingAway) as away:
            await transit(vault.client, token="s.wrong").wrap(KEYS, BOUND)

        assert "s.wrong" not in f"{away.value!r}{away.value.__cause__!r}"

    async def test_the_engines_own_rewrap_cannot_take_what_is_bound(self, vault):
        """Why `rewrap` asks for decrypt and encrypt; it may go once the engine learns it."""
        [wrapped] = await vault.wrapping.wrap(KEYS[:1], BOUND[:1])
        item = {
            "ciphertext": wrapped.content.decode(),
            "associated_data": b64encode(BOUND[0]).decode(),
        }

        answer = await vault.client.post(
            "http://vault/v1/transit/rewrap/langnghe",
            json={"batch_input": [item]},
            headers={"X-Vault-Token": TOKEN},
        )

        assert answer.status_code == 400

    async def test_over_a_real_connection(self):
        server = FakeTransit()
        config = uvicorn.Config(server.application, port=0, log_level="critical", lifespan="off")
        running = uvicorn.Server(config)
        serving = asyncio.create_task(running.serve())
        while not running.started:
            await asyncio.sleep(0.01)
        port = running.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient() as client:
            wrapping = transit(client, f"http://127.0.0.1:{port}/")
            wrapped = await wrapping.wrap(KEYS, BOUND)
            server.rotate()
            again = await wrapping.rewrap(wrapped, BOUND)

            assert await wrapping.unwrap(again, BOUND) == KEYS

            running.should_exit = True
            await serving
            with pytest.raises(WrappingAway):
                await wrapping.unwrap(again, BOUND)

    async def test_no_key_goes_where_an_answer_points(self):
        received: list[bytes] = []

        async def elsewhere(request: Request) -> RedirectResponse:
            received.append(await request.body())
            return RedirectResponse(f"http://elsewhere{request.url.path}", 307)

        pointing = Starlette(routes=[Route("/{path:path}", elsewhere, methods=["POST"])])
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(pointing), follow_redirects=True
        ) as client:
            with pytest.raises(WrappingAway):
                await transit(client).wrap(KEYS, BOUND)

        assert len(received) == 1

    async def test_wrapping_with_no_key_of_this_name_is_waited_out(self, vault):
        vault.server.exists = False

        with pytest.raises(WrappingAway):
            await vault.wrapping.wrap(KEYS, BOUND)
