"""Who spoke, and what they said, stays at the entrance."""

from deploy.asyncapi.shape import fields
from shared.contracts import CATALOGUE, COMMANDS, FEED
from tests.contracts.evolution import shapes

SHAPES = shapes()
INSIDE = CATALOGUE.keys() - FEED.keys() - COMMANDS.keys()

PERSONAL = frozenset(
    {
        "address", "addresses", "caller", "callers", "email", "emails", "name", "names", "note",
        "notes", "phone", "phones", "raw", "reporter", "reporters", "sender", "senders", "text",
        "texts",
    }
)  # fmt: skip
"""Words in a field's name that say it holds what somebody said, or who somebody is."""

ALLOWED = {
    ("directory.published.v1", "directory.units.name"): "a public unit's name",
    ("directory.published.v1", "directory.bodies.name"): "a public body's name",
    ("directory.published.v1", "directory.agencies.channels.address"): (
        "the mailbox or number that an agency publishes for everybody"
    ),
    ("directory.published.v1", "directory.persons.name"): (
        "an office-holder in a public role, named for the offices held and for nothing else"
    ),
    ("rulebook.published.v1", "rulebook.eligibility.names_object"): (
        "a rule's condition, yes or no: whether an object could be made out"
    ),
    ("calendar.published.v1", "calendar.holidays.name"): "a holiday's name",
    ("report.published.v1", "rows.name"): "a public unit's name",
}
"""Fields whose names sound like a person's data, and why they are none."""


class TestPeople:
    def personal_fields(self, types):
        return {
            (name, path)
            for name in types
            for path, _ in fields(SHAPES[name])
            if PERSONAL & set(path.rpartition(".")[2].split("_"))
        }

    def test_no_contract_but_the_entrances_carries_a_persons_data(self):
        assert self.personal_fields(INSIDE) - ALLOWED.keys() == set()

    def test_every_allowed_field_exists(self):
        assert ALLOWED.keys() - self.personal_fields(INSIDE) == set()

    def test_the_search_finds_what_it_looks_for_at_the_entrances(self):
        found = {path for name, path in self.personal_fields(FEED) if name.startswith("hotline")}

        assert found == {
            "caller", "note", "reporter",
            "reporter.name", "reporter.address", "reporter.phone", "reporter.email",
            "recording.name",
        }  # fmt: skip
