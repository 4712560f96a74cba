"""The HTTP entrance: agencies' events, the citizen's form, the call-taker's webhook."""

from services.intake.sources.http.events import Fates
from services.intake.sources.http.routes import routes
from services.intake.sources.http.webhook import CallRecords
from shared.runtime.http.credentials import Credentials, CredentialsBroken

__all__ = ["CallRecords", "Credentials", "CredentialsBroken", "Fates", "routes"]
