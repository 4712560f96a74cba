"""The HTTP entrance: agencies' events, the citizen's form, the call-taker's webhook."""

from services.intake.sources.http.credentials import Credentials, CredentialsBroken
from services.intake.sources.http.events import Fates
from services.intake.sources.http.routes import routes
from services.intake.sources.http.webhook import CallRecords

__all__ = ["CallRecords", "Credentials", "CredentialsBroken", "Fates", "routes"]
