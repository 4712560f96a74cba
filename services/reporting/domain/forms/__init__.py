"""The forms that reporting publishes are data of the rulebook; here they are read and filled."""

from services.reporting.domain.forms.form import DoesNotFoot, Form
from services.reporting.domain.forms.rules import NotAForm, forms_of
from services.reporting.domain.forms.tally import Tally, fill

__all__ = ["DoesNotFoot", "Form", "NotAForm", "Tally", "fill", "forms_of"]
