"""Whose mailbox an address is, as the directory publishes it."""

from collections.abc import Mapping
from datetime import datetime

from services.intake.handlers.ports import RuleVersions
from shared.contracts.vocabulary import Channel


class Addresses:
    """`refresh` reads the directory in force; until then nobody can tell."""

    def __init__(self, rules: RuleVersions) -> None:
        self._rules = rules
        self._agencies: Mapping[str, str] | None = None

    async def refresh(self, at: datetime) -> int:
        """Take over the addresses in force; answers 0, since nothing comes of it."""
        agencies = (await self._rules.latest()).agencies.values()
        self._agencies = {
            channel.address.strip().lower(): agency.code
            for agency in agencies
            for channel in agency.channels
            if channel.channel is Channel.MAILBOX and channel.in_force(at.date())
        }
        return 0

    def agency_of(self, address: str) -> str | None:
        """The agency of a published mailbox; raises `LookupError` before the first directory."""
        if self._agencies is None:
            raise LookupError("no directory yet")
        return self._agencies.get(address.strip().lower())
