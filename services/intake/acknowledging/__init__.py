"""Answers whoever wrote to an agency's mailbox, once, with the receipt code."""

from services.intake.acknowledging.post import BadAddress, Post, PostAway, PostOffice, Taken
from services.intake.acknowledging.sending import Acknowledgements, Acknowledging, Posting

__all__ = [
    "Acknowledgements",
    "Acknowledging",
    "BadAddress",
    "Post",
    "PostAway",
    "PostOffice",
    "Posting",
    "Taken",
]
