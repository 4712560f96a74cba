"""Rule files: read, checked, compared with what is in force, and published as a new version."""

from deploy.rules.problems import Invalid
from deploy.rules.publishing import (
    SUBJECT,
    Proposal,
    propose,
    publish_proposal,
    publish_rules,
    refuse_too_large,
)
from deploy.rules.reading import RULE_FILES, RuleFile, read_rules

__all__ = [
    "RULE_FILES",
    "SUBJECT",
    "Invalid",
    "Proposal",
    "RuleFile",
    "propose",
    "publish_proposal",
    "publish_rules",
    "read_rules",
    "refuse_too_large",
]
