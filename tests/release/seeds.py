"""Secrets of this system that the library does not know by itself."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class NKeySeedDetector(RegexBasedDetector):
    """The private half of an NKey; the public half begins with its kind alone."""

    secret_type = "NKey Seed"
    denylist = (re.compile(r"\bS[UAOCNX][A-Z2-7]{56}\b"),)


class WebhookSecretDetector(RegexBasedDetector):
    secret_type = "Webhook Secret"
    denylist = (re.compile(r"\bwhsec_[A-Za-z0-9+/]{24,}={0,2}"),)
