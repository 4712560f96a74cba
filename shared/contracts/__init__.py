"""The language the services speak: every event that crosses a boundary, and nothing that acts."""

from shared.contracts.activity import (
    ActivityRecorded,
    ChannelAnnounced,
    ChannelInterrupted,
    ChannelSilent,
)
from shared.contracts.case import (
    CaseAccepted,
    CaseAmended,
    CaseAssigned,
    CaseConcluded,
    CaseDeclined,
    CaseDivided,
    CaseFollowedUp,
    CaseJoined,
    CaseOpened,
    CaseRecommended,
    CaseReferred,
    CaseReopened,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockRestated,
    ClockStarted,
    ClockWarned,
)
from shared.contracts.dead_letter import MessageSetAside
from shared.contracts.directory import DirectoryPublished
from shared.contracts.envelope import EventData
from shared.contracts.ingress import (
    ChannelPublished,
    DialogueHeld,
    FeedHeartbeat,
    FormSubmitted,
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    MailboxMessageArrived,
    Refused,
    SupervisionRecorded,
)
from shared.contracts.order import (
    CaseAccept,
    CaseAmend,
    CaseConclude,
    CaseDecline,
    CaseExtend,
    CaseFollowUp,
    CaseJoin,
    CasePause,
    CaseRecommend,
    CaseRefer,
    CaseReopen,
    CaseResume,
    CaseSplit,
    CaseTransfer,
)
from shared.contracts.protection import (
    IdentityOpened,
    SubmissionErase,
    SubmissionErased,
    SubmissionHeld,
    SubmissionHold,
    SubmissionRelease,
    SubmissionReleased,
)
from shared.contracts.report import ReportClose, ReportPublished, ReportRevise
from shared.contracts.rulebook import CalendarPublished, RulebookPublished
from shared.contracts.submission import (
    SubmissionRated,
    SubmissionReceived,
    SubmissionRelated,
    SubmissionSupplemented,
)

FEED: dict[str, type[IngressData]] = {
    contract.TYPE: contract
    for contract in (
        HotlineCallLogged,
        MailboxMessageArrived,
        FormSubmitted,
        LetterRegistered,
        SupervisionRecorded,
        DialogueHeld,
        ChannelPublished,
        FeedHeartbeat,
    )
}
"""What agencies may send, on `feed.<agency>.<type>`."""

COMMANDS: dict[str, type[IngressData]] = {
    contract.TYPE: contract
    for contract in (
        CaseAccept,
        CaseConclude,
        CaseFollowUp,
        CaseRecommend,
        CaseRefer,
        CaseAmend,
        CaseDecline,
        CaseExtend,
        CasePause,
        CaseReopen,
        CaseResume,
        CaseTransfer,
        CaseSplit,
        CaseJoin,
        SubmissionErase,
        SubmissionHold,
        SubmissionRelease,
        ReportClose,
        ReportRevise,
    )
}
"""What bodies and operators may order, on `command.<party>.<type>`."""

EVENTS: dict[str, type[EventData]] = {
    contract.TYPE: contract
    for contract in (
        SubmissionReceived,
        SubmissionRelated,
        SubmissionSupplemented,
        SubmissionRated,
        SubmissionErased,
        SubmissionHeld,
        SubmissionReleased,
        IdentityOpened,
        CaseOpened,
        CaseAssigned,
        ClockStarted,
        ClockWarned,
        ClockMet,
        ClockMissed,
        ClockRestated,
        CaseAccepted,
        CaseConcluded,
        CaseFollowedUp,
        CaseRecommended,
        CaseReferred,
        CaseAmended,
        CaseDeclined,
        CaseReopened,
        CaseDivided,
        CaseJoined,
        ClockPaused,
        ActivityRecorded,
        ChannelAnnounced,
        ChannelSilent,
        ChannelInterrupted,
        DirectoryPublished,
        RulebookPublished,
        CalendarPublished,
    )
}
"""What services announce, kept for ever."""

CATALOGUE: dict[str, type[EventData]] = {
    **FEED,
    **COMMANDS,
    **EVENTS,
    **{contract.TYPE: contract for contract in (ReportPublished, Refused, MessageSetAside)},
}
"""Every event that crosses a boundary, by its type."""

__all__ = [
    "CATALOGUE",
    "COMMANDS",
    "EVENTS",
    "FEED",
    "ActivityRecorded",
    "CalendarPublished",
    "CaseAccept",
    "CaseAccepted",
    "CaseAmend",
    "CaseAmended",
    "CaseAssigned",
    "CaseConclude",
    "CaseConcluded",
    "CaseDecline",
    "CaseDeclined",
    "CaseDivided",
    "CaseExtend",
    "CaseFollowUp",
    "CaseFollowedUp",
    "CaseJoin",
    "CaseJoined",
    "CaseOpened",
    "CasePause",
    "CaseRecommend",
    "CaseRecommended",
    "CaseRefer",
    "CaseReferred",
    "CaseReopen",
    "CaseReopened",
    "CaseResume",
    "CaseSplit",
    "CaseTransfer",
    "ChannelAnnounced",
    "ChannelInterrupted",
    "ChannelPublished",
    "ChannelSilent",
    "ClockMet",
    "ClockMissed",
    "ClockPaused",
    "ClockRestated",
    "ClockStarted",
    "ClockWarned",
    "DialogueHeld",
    "DirectoryPublished",
    "EventData",
    "FeedHeartbeat",
    "FormSubmitted",
    "HotlineCallLogged",
    "IdentityOpened",
    "IngressData",
    "LetterRegistered",
    "MailboxMessageArrived",
    "MessageSetAside",
    "Refused",
    "ReportClose",
    "ReportPublished",
    "ReportRevise",
    "RulebookPublished",
    "SubmissionErase",
    "SubmissionErased",
    "SubmissionHeld",
    "SubmissionHold",
    "SubmissionRated",
    "SubmissionReceived",
    "SubmissionRelated",
    "SubmissionRelease",
    "SubmissionReleased",
    "SubmissionSupplemented",
    "SupervisionRecorded",
]
