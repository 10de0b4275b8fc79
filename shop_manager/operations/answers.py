"""The models of what operators read of Clerks, and what these routes say in the OpenAPI document
(http_api/documented.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.messages import Direction
from http_api.answers import (
    ABSENT,
    Amount,
    AmountByCurrency,
    Answer,
    Currency,
    JsonObject,
    Moment,
    Page,
    ServiceName,
    SessionId,
)
from http_api.documented import ETAG, IF_MATCH_NEEDED, IF_NONE_MATCH, NOT_MODIFIED, documented
from http_api.failure_codes import FailureCodeShown
from shop_manager.operations.answers_claim import ClaimShown
from shop_manager.operations.headline import Owner
from shop_manager.operations.requests import ClerkAction
from shop_manager.saga.happenings import SettledOutcome
from shop_manager.saga.state import EndStatus, StepState, StuckKind
from shop_manager.sessions.answers import ClerkDocument, StepName
from shop_manager.sessions.view import PublicStatus

WaitsFor = Literal["customer", "warehouse"]
Count = Annotated[int, Field(ge=0)]
JsonLeaf = str | float | bool | list[JsonObject] | JsonObject | None
EVENT_STREAM: Mapping[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}


# --- the home page ---------------------------------------------------------------------------------------------------


class StatusCounts(Answer):
    """Clerks by public status: of the first four all there are, of the ends those since `ends_since`."""

    open: Count
    processing: Count
    requires_action: Count
    canceling: Count
    completed: Count
    canceled: Count
    expired: Count
    failed: Count


class StuckCause(Answer):
    """The stuck Clerks of one cause: what it means, whose the next move is and which, and what happens by itself."""

    process: str
    step: StepName
    service: ServiceName | None
    kind: StuckKind
    code: str
    count: Count
    money_at_risk: Annotated[AmountByCurrency, Field(description="what can be lost, in minor units")]
    money_to_settle: Annotated[AmountByCurrency, Field(description="paid and shipped, but not settled")]
    owner: Literal["operator"]
    means: str
    move: str
    then: str
    next_at: Moment | None
    oldest_since: Moment
    oldest_seconds: Count
    claimed: Annotated[int, Field(ge=0, description="of these, how many somebody has")]
    snoozed: Annotated[int, Field(ge=0, description="of the claimed ones, how many are put off")]
    snoozed_until: Annotated[Moment | None, Field(description="until when the first of these is")]
    runbook: Annotated[str | None, Field(description="a link to what to do")]
    responsible: str | None


class StuckSummary(Answer):
    """All that is stuck."""

    count: Count
    oldest_since: Moment | None
    money_at_risk: Annotated[AmountByCurrency, Field(description="what can be lost, in minor units")]
    money_to_settle: Annotated[AmountByCurrency, Field(description="paid and shipped, but not settled")]
    claimed: Count
    snoozed: Count
    snoozed_until: Moment | None
    causes: list[StuckCause]


class Summary(Answer):
    """Is anything stuck, and how many of what are there?"""

    checked_at: Moment
    counts: StatusCounts
    ends_since: Moment
    ends_capped: Annotated[bool, Field(description="there may be more ends than were counted")]
    stuck: StuckSummary
    parked: Annotated[int, Field(description="messages that wait for a decision")]


class Drift(Answer):
    """Something that two databases do not agree on, and what would repair it."""

    invariant: str
    clerk: str | None
    expected: str
    found: str
    repair: str | None


class VerifyCheck(Answer):
    """What `clerk verify` has found."""

    started_at: Moment
    finished_at: Moment
    clerks: Count
    found: Annotated[int, Field(description="how many drifts there were; the first of them are shown")]
    drifts: list[Drift]


class Checks(Answer):
    """The last check; null when there never was one."""

    latest: VerifyCheck | None


# --- Clerks ----------------------------------------------------------------------------------------------------------


class Stuck(Answer):
    """What a Clerk is stuck at."""

    since: Moment
    kind: StuckKind
    step: StepName
    service: str
    code: str
    detail: str


class ClerkLine(Answer):
    """One Clerk in a list."""

    id: SessionId
    status: PublicStatus
    stuck: Stuck | None
    step: StepName | None
    waiting_for: Literal["customer", "warehouse", "service"] | None
    process: str
    shop: str
    customer: str | None
    client_reference: str | None
    total: Amount | None
    currency: Currency
    created_at: Moment
    updated_at: Moment
    next_wake_at: Moment | None
    version: int
    claim: ClaimShown | None


class ClerkProgress(Answer):
    """How far one step is, and how often it was asked."""

    step: StepName
    state: StepState
    at: Moment = ABSENT
    attempts: Count


class Question(Answer):
    """What is asked and not answered yet."""

    step: StepName
    direction: Direction
    attempt: int
    command: str
    asked_at: Moment
    deadline: Moment | None
    waits_for: WaitsFor | None
    failures: Count
    paused: Annotated[bool, Field(description="it was answered `not now`, and is asked anew later")]
    resent: Annotated[Count, Field(description="how often the same question went out again")]
    resent_at: Annotated[Moment | None, Field(description="when it did so last")]


class ClerkFailure(Answer):
    """Why it is undone."""

    code: FailureCodeShown
    step: StepName | None
    detail: str | None


class Deadline(Answer):
    """What comes by itself, and what follows then."""

    what: Literal["session", "step", "resend"]
    at: Moment
    then: str


class ComingNext(Deadline):
    """The first that comes by itself."""

    in_seconds: Count


class WhyNot(Answer):
    """Why an act is not allowed."""

    code: str
    detail: str


class Action(Answer):
    """An act on a Clerk: what follows from it, or why it is not allowed now."""

    action: ClerkAction
    allowed: bool
    consequence: str | None
    why_not: WhyNot | None
    needs: Annotated[list[str], Field(description="the members that it takes beside `reason`")]
    step: Annotated[StepName | None, Field(description="of `settle`: the step to be settled")] = ABSENT
    outcomes: Annotated[list[SettledOutcome], Field(description="of `settle`: those allowed")] = ABSENT


class Clerk(ClerkLine):
    """One Clerk with all that is known of it."""

    expires_at: Moment
    past_the_pivot: bool
    ending: EndStatus | None
    failure: ClerkFailure | None
    progress: list[ClerkProgress]
    question: Question | None
    deadlines: list[Deadline]
    document: ClerkDocument
    trace_id: Annotated[str | None, Field(description="the W3C trace that the session was opened in")]
    headline: str
    owner: Annotated[Owner, Field(description="whose the next move is")]
    next: ComingNext | None
    actions: list[Action]


class ChangedField(Answer):
    """A field of the document before and after."""

    before: JsonLeaf
    after: JsonLeaf


class Changes(Answer):
    """What a line changed in the document, by JSONPath."""

    added: dict[str, JsonLeaf]
    changed: dict[str, ChangedField]
    removed: dict[str, JsonLeaf]


class TimelineLine(Answer):
    """Something that happened. An ignored reply has no number, but `message`, `outcome` and `reason`."""

    number: int | None
    at: Moment
    what: Annotated[str, Field(examples=["done"])]
    step: StepName | None
    data: JsonObject
    changes: Changes
    message: str = ABSENT
    outcome: str | None = ABSENT
    reason: str = ABSENT


class Message(Answer):
    """A command, a reply, or a wish (a cancel that came too late), and what became of it."""

    id: str
    kind: Literal["command", "reply", "wish"]
    at: Moment
    name: str | None
    service: ServiceName | None
    step: StepName | None
    direction: Direction | None
    attempt: int | None
    outcome: str | None
    taken: Annotated[bool | None, Field(description="of replies: whether they counted")]
    why: str | None
    unsent: Annotated[bool, Field(description="it is still in the outbox")]
    parked: Annotated[str | None, Field(description="the id of the parked message")]


class ExportedClerk(ClerkLine):
    """One Clerk in a file, with its total as people write it."""

    amount: Annotated[str | None, Field(description="the total as a decimal in its currency", examples=["25.90"])]


class ClerkExport(Answer):
    """All lines of a list in one file; one that was broken off has no closing bracket."""

    data: list[ExportedClerk]


READ_SUMMARY = documented(Summary, says="The counts.")
FOLLOW_CHANGES = documented(
    says="Server-sent events `changed`: the counts, and the ids of Clerks that have changed, as JSON.",
    content=EVENT_STREAM,
)
READ_CHECKS = documented(Checks, says="The last check.")
LIST_CLERKS = documented(Page[ClerkLine], says="A page of Clerks.")
EXPORT_CSV = documented(says="A table with a line of names.", content={"text/csv": {"schema": {"type": "string"}}})
EXPORT_JSON = documented(ClerkExport, says="The lines.")
READ_CLERK = documented(
    Clerk, says="The Clerk.", empty=NOT_MODIFIED, headers=[ETAG], takes=[IF_NONE_MATCH], problems=["not_found"]
)
READ_TIMELINE = documented(Page[TimelineLine], says="A page of the timeline.", problems=["not_found"])
LIST_MESSAGES = documented(Page[Message], says="A page of messages.", problems=["not_found"])
CLAIM_CLERK = documented(
    Clerk, says="The Clerk after it.", headers=[ETAG], problems=["not_found", "not_allowed_now"], role="operator"
)
ACT_ON_CLERK = documented(
    Clerk,
    says="The Clerk after the act.",
    headers=[ETAG],
    takes=[IF_MATCH_NEEDED],
    problems=[
        "not_found",
        "not_allowed_now",
        "session_ended",
        "past_the_pivot",
        "version_conflict",
        "version_required",
    ],
    current=Clerk,
    role="support",
)
