"""The tree is that of RFC 9162; its proofs hold for what is so, and for nothing else."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from deploy.verify import proofs
from deploy.verify.proofs import Head, Verifier, Wrong, check_consistency, check_inclusion
from services.reporting.domain.chain import (
    Frontier,
    Logged,
    Signer,
    consistency_path,
    inclusion_path,
    leaf_hash,
    leaf_of,
    node_hash,
)
from services.reporting.domain.chain.entry import entry_of

VECTORS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
"""Entries of the test vectors of Certificate Transparency's own reference implementation."""


def mth(entries):
    """The recursive definition, RFC 9162, 2.1.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def hashes(count):
    return [leaf_hash(b"%d" % n) for n in range(count)]


def head(leaves):
    return Head(len(leaves), Frontier().extended(leaves).root())


class TestTree:
    @pytest.mark.parametrize("size", range(9))
    def test_its_root_is_that_of_the_definition(self, size):
        leaves = [leaf_hash(entry) for entry in VECTORS[:size]]

        assert Frontier().extended(leaves).root() == mth(VECTORS[:size])

    def test_the_root_of_the_known_vectors_is_known(self):
        """As in the test data of certificate-transparency-go."""
        leaves = [leaf_hash(entry) for entry in VECTORS]

        assert (
            Frontier().extended(leaves).root().hex()
            == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        )

    @given(st.lists(st.lists(st.binary(max_size=4), max_size=9), max_size=6))
    def test_it_grows_by_any_portions_to_the_same(self, portions):
        grown = Frontier()
        for portion in portions:
            grown = grown.extended(map(leaf_hash, portion))

        entries = [entry for portion in portions for entry in portion]
        assert grown.root() == mth(entries)
        assert grown.size == len(entries)

    def test_it_remembers_one_hash_for_each_bit_of_its_size(self):
        assert len(Frontier().extended(hashes(1_000)).peaks) == (1_000).bit_count()

    def test_a_leaf_is_never_taken_for_a_node(self):
        left, right = hashes(2)

        assert leaf_hash(left + right) != node_hash(left, right)


class TestInclusion:
    @given(st.integers(1, 70), st.data())
    def test_every_entry_can_be_shown(self, size, data):
        leaves = hashes(size)
        index = data.draw(st.integers(0, size - 1))

        check_inclusion(leaves[index], index, inclusion_path(index, leaves), head(leaves))

    @given(st.integers(2, 40), st.data())
    def test_nothing_else_can(self, size, data):
        leaves = hashes(size)
        index = data.draw(st.integers(0, size - 1))
        path, at = inclusion_path(index, leaves), head(leaves)
        other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
        wrong = [
            (leaves[other], index, path, at),
            (leaves[index], other, path, at),
            (leaves[index], index, path[:-1], at),
            (leaves[index], index, [*path, path[0]], at),
            (leaves[index], index, [leaf_hash(path[0]), *path[1:]], at),
            (leaves[index], index, path, replace(at, root=leaf_hash(at.root))),
            (leaves[index], size, path, at),
            (leaves[index], -1, path, at),
        ]

        for claim in wrong:
            with pytest.raises(Wrong):
                check_inclusion(*claim)


class TestConsistency:
    @given(st.integers(1, 70), st.data())
    def test_a_log_that_only_grew_can_show_it(self, size, data):
        leaves = hashes(size)
        before = data.draw(st.integers(1, size))

        check_consistency(head(leaves[:before]), head(leaves), consistency_path(before, leaves))

    @given(st.integers(2, 40), st.data())
    def test_one_that_was_changed_cannot(self, size, data):
        leaves = hashes(size)
        before = data.draw(st.integers(1, size - 1))
        changed = data.draw(st.integers(0, before - 1))
        other = [*leaves]
        other[changed] = leaf_hash(b"another")

        with pytest.raises(Wrong):
            check_consistency(head(leaves[:before]), head(other), consistency_path(before, other))
        with pytest.raises(Wrong):
            check_consistency(head(leaves[:before]), head(other), consistency_path(before, leaves))

    def test_one_of_the_same_size_is_the_same(self):
        with pytest.raises(Wrong):
            check_consistency(head(hashes(3)), replace(head(hashes(3)), root=bytes(32)), [])

    def test_one_that_shrank_did_not_grow(self):
        with pytest.raises(Wrong):
            check_consistency(head(hashes(4)), head(hashes(3)), [])


LOGGED = Logged(7, "submission.received.v1", b'{"subject":"s-1","data":{"kind":"petition"}}')


class TestEntry:
    @given(st.text(max_size=20), st.integers(1, 2**53 - 1), st.binary(max_size=30))
    def test_it_is_canonical_json(self, subject, sequence, body):
        entry = entry_of(Logged(sequence, subject, body))

        assert entry == rfc8785.dumps(orjson.loads(entry))

    @given(st.text(max_size=20))
    def test_whom_it_is_about_is_canonical_too(self, about):
        entry = entry_of(Logged(1, "x", orjson.dumps({"subject": about})))

        assert entry == rfc8785.dumps(orjson.loads(entry))
        assert orjson.loads(entry)["about"] == about

    @pytest.mark.parametrize(
        "other",
        [
            replace(LOGGED, sequence=8),
            replace(LOGGED, subject="submission.erased.v1"),
            replace(LOGGED, body=LOGGED.body.replace(b"petition", b"Petition")),
            replace(LOGGED, body=LOGGED.body + b" "),
        ],
    )
    def test_place_subject_or_one_byte_make_another(self, other):
        assert leaf_of(other) != leaf_of(LOGGED)

    def test_it_shows_nothing_of_what_the_event_says(self):
        assert b"petition" not in entry_of(LOGGED)

    @pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b'{"subject":7}'])
    def test_what_nobody_can_read_is_an_entry_as_well(self, body):
        assert orjson.loads(entry_of(Logged(1, "x", body)))["about"] is None


SIGNER = Signer("langnghe/events", bytes(range(32)))
ROOT = bytes(reversed(range(32)))


class TestNote:
    def test_it_reads_as_what_was_signed(self):
        assert Verifier(SIGNER.public).read(SIGNER.checkpoint(12, ROOT)) == Head(12, ROOT)

    def test_it_is_a_checkpoint_as_c2sp_has_it(self):
        lines = SIGNER.checkpoint(12, ROOT).split("\n")

        assert lines[:4] == ["langnghe/events", "12", b64encode(ROOT).decode(), ""]
        assert lines[4].startswith("\N{EM DASH} langnghe/events ")
        assert lines[5:] == [""]

    def test_a_note_that_others_signed_is_read_as_they_do(self):
        """The example of Go's package `golang.org/x/mod/sumdb/note`."""
        key = Verifier("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        text = (
            "If you think cryptography is the answer to your problem,\n"
            "then you don't know what your problem is."
        )
        signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

        assert key._signed(text, signature)
        assert not key._signed(text + "!", signature)

    @pytest.mark.parametrize("part", ["langnghe", "\n12\n", "Hx4d", "\N{EM DASH}"])
    def test_one_character_makes_it_nobodys(self, part):
        note = SIGNER.checkpoint(12, ROOT)
        assert part in note

        with pytest.raises(Wrong):
            Verifier(SIGNER.public).read(note.replace(part, part[:-1] + "x", 1))

    def test_another_key_of_the_same_name_signs_nothing(self):
        other = Signer("langnghe/events", bytes(32))

        with pytest.raises(Wrong, match="not signed by this key"):
            Verifier(SIGNER.public).read(other.checkpoint(12, ROOT))

    def test_a_witness_may_sign_beside_us(self):
        note = SIGNER.checkpoint(12, ROOT) + "\N{EM DASH} witness AAAAAAAA\n"

        assert Verifier(SIGNER.public).read(note).size == 12

    def test_one_of_another_log_is_none_of_ours_though_our_key_signed_it(self):
        note = Signer("langnghe/other", bytes(range(32))).checkpoint(12, ROOT)
        text = note.partition("\n\n")[0]
        signature = b64encode(SIGNER._id + SIGNER._key.sign(f"{text}\n".encode())).decode()

        with pytest.raises(Wrong, match="of another log"):
            Verifier(SIGNER.public).read(f"{text}\n\n\N{EM DASH} langnghe/events {signature}\n")

    @pytest.mark.parametrize(
        "note", ["", "x", "langnghe/events\n\n", "langnghe/events\n-1\nAA==\n\n"]
    )
    def test_what_is_no_note_is_said(self, note):
        with pytest.raises(Wrong):
            Verifier(SIGNER.public).read(note)

    @pytest.mark.parametrize(
        "key", ["", "a+b", "a+00000000+AQ==", SIGNER.public.replace("+", "+0", 1)]
    )
    def test_what_is_no_key_is_said(self, key):
        with pytest.raises(Wrong):
            Verifier(key)


def receipt(subject="submission.received.v1", **more):
    logged = [Logged(n, subject, b'{"subject":"s-%d"}' % n) for n in range(1, 12)]
    leaves = [leaf_of(each) for each in logged]
    shown = {
        "entry": orjson.loads(entry_of(logged[4])),
        "path": [b64encode(step).decode() for step in inclusion_path(4, leaves)],
        "checkpoint": SIGNER.checkpoint(len(leaves), head(leaves).root),
    }
    return shown | more


class TestReceipt:
    def test_it_proves_that_the_submission_is_in_the_log(self):
        about, at = proofs.check_receipt(receipt(), Verifier(SIGNER.public))

        assert (about, at.size) == ("s-5", 11)

    @pytest.mark.parametrize(
        "changed",
        [
            {"about": "s-6"},
            {"sequence": 6},
            {"digest": "0" * 64},
            {"subject": "submission.erased.v1"},
            {"sequence": "5"},
            {"more": 1},
            {"sequence": 2**60},
        ],
    )
    def test_one_that_says_something_else_proves_nothing(self, changed):
        with pytest.raises(Wrong):
            proofs.check_receipt(
                receipt(entry=receipt()["entry"] | changed), Verifier(SIGNER.public)
            )

    def test_what_else_is_in_the_log_of_a_submission_is_no_receipt(self):
        with pytest.raises(Wrong, match="not about the receipt"):
            proofs.check_receipt(receipt("submission.erased.v1"), Verifier(SIGNER.public))

    @pytest.mark.parametrize(
        "broken",
        [
            {"path": []},
            {"path": ["?"]},
            {"path": 3},
            {"checkpoint": ""},
            {"entry": []},
            {"entry": 1},
        ],
    )
    def test_what_is_no_receipt_is_said(self, broken):
        with pytest.raises(Wrong):
            proofs.check_receipt(receipt(**broken), Verifier(SIGNER.public))
