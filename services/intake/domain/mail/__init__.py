"""Reads a mail: who wrote, when, what, and what is attached. Total: any bytes give an answer."""

from services.intake.domain.mail.content import Attachment
from services.intake.domain.mail.names import shown_name
from services.intake.domain.mail.reading import Mail, read_mail

__all__ = ["Attachment", "Mail", "read_mail", "shown_name"]
