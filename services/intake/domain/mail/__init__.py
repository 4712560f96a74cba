"""Reads a mail: who wrote, when, what, and what is attached. Total: any bytes give an answer."""

from services.intake.domain.mail.reading import Attachment, Mail, read_mail

__all__ = ["Attachment", "Mail", "read_mail"]
