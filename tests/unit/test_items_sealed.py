"""What an item says is sealed to intake before it leaves; its envelope is not."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.items import Item, sealed
from shared.runtime.sealing import Opener, Seal
from tests.examples_items import AGENCY, HEADINGS, LETTERS, data, items, write_csv


@pytest.fixture
def register(tmp_path):
    return write_csv(tmp_path / "so.csv", [HEADINGS, *LETTERS])


class TestSealing:
    PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(32)))

    @classmethod
    def seal(cls, _agency, use):
        return Seal(cls.PRIVATE.public_key().public_bytes_raw(), use)

    def opened(self, item: Item, use: str) -> bytes:
        return Opener(self.PRIVATE.private_bytes_raw()).open(data(item)["sealed"], use)

    def test_only_intake_reads_what_an_item_says(self, register):
        plain = items(register)[0]

        closed = sealed(plain, self.seal)

        name = json.loads(plain.body)["id"]
        use = f"langnghe feed/{AGENCY}/letter.registered.v1/{name}"
        assert data(closed).keys() == {"sealed"}
        assert json.loads(self.opened(closed, use)) == data(plain)

    def test_the_envelope_stays_as_it_was(self, register):
        plain = items(register)[0]

        closed = json.loads(sealed(plain, self.seal).body)

        assert closed | {"data": None} == json.loads(plain.body) | {"data": None}

    @pytest.mark.parametrize(
        "body",
        [
            b"{", b"[]", b"{}", b'{"type": "x", "id": 1, "data": {}}',
            b'{"type": "x", "id": "1", "data": []}',
            b'{"type": "x", "id": "1", "data": {"sealed": "AAAA"}}',
        ],
    )  # fmt: skip
    def test_what_cannot_be_sealed_is_sent_as_it_is(self, body):
        item = Item("a:1", AGENCY, "form.submitted.v1", body)

        assert sealed(item, self.seal) == item
