"""The forms that reporting publishes, and how their figures are counted."""

from services.reporting.domain.forms.form import DoesNotFoot, Form
from services.reporting.domain.forms.letters import LETTERS
from services.reporting.domain.forms.supervision import SUPERVISION
from services.reporting.domain.forms.tally import Tally, fill

FORMS = (LETTERS, SUPERVISION)

__all__ = ["FORMS", "LETTERS", "SUPERVISION", "DoesNotFoot", "Form", "Tally", "fill"]
