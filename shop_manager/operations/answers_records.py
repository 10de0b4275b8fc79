"""The models of what operators read beside Clerks (parked messages, processes, bulk acts, people, keys, the audit), and
what these routes say in the OpenAPI document (http_api/documented.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from http_api.answers import (
    ABSENT,
    AmountByCurrency,
    Answer,
    JsonObject,
    KeyScope,
    Moment,
    OperatorRole,
    Page,
    ServiceName,
    SessionId,
)
from http_api.documented import ETAG, IF_MATCH, LOCATION, documented
from shop_manager.operations.answers import Count
from shop_manager.operations.answers_claim import ClaimShown
from shop_manager.operations.bulk_outcome import Outcome
from shop_manager.operations.parked_reads import ParkedState
from shop_manager.operations.requests import BulkAction
from shop_manager.sessions.answers import StepName

# --- parked messages -------------------------------------------------------------------------------------------------


class Decision(Answer):
    """What an operator has decided about a parked message."""

    at: Moment
    who: str
    reason: str
    effect: str


class ParkedMessage(Answer):
    """A message that was given up on for now."""

    id: str
    service: str
    queue: str
    reason: str
    message: Annotated[str | None, Field(description="the message's own id, where it could be read")]
    clerk: str | None
    size: Annotated[int, Field(description="bytes")]
    times: Annotated[int, Field(description="how often it was parked")]
    killer: Annotated[bool, Field(description="the process died of it")]
    forged: Annotated[bool, Field(description="its sender may not say it")]
    sender: Annotated[str | None, Field(description="the broker's user who sent it")]
    first_at: Moment
    last_at: Moment
    body: Annotated[str, Field(description="its beginning; one message alone has all that was kept")]
    encoding: Literal["utf-8", "base64"]
    body_cut: bool
    state: ParkedState
    decision: Decision | None
    version: int


class ParkedCause(Answer):
    """Parked messages that wait for a decision, of one service and for one reason."""

    service: str
    reason: Annotated[str, Field(description="with `clk_…` for every Clerk's id")]
    count: Count
    killers: Annotated[int, Field(description="of these the process died")]
    forged: Annotated[int, Field(description="of these the sender may not say it")]
    first_at: Moment
    last_at: Moment


# --- processes -------------------------------------------------------------------------------------------------------


class ProcessStep(Answer):
    """One step of a process, and how many live Clerks are at it."""

    name: StepName
    asks: ServiceName
    do: str
    undo: str | None
    waits_for: Literal["customer", "warehouse"] | None
    within_seconds: int | None
    overdue: Annotated[str | None, Field(description="the command that is asked when it takes too long")]
    pivot: bool
    after_the_pivot: bool
    live: Count
    stuck: Count


class Process(Answer):
    """A version of a process."""

    reference: Annotated[str, Field(examples=["standard/1"])]
    name: str
    version: int
    newest: bool
    digest: str
    suits: str
    live: Count
    stuck: Count
    steps: list[ProcessStep]


class ChosenProcess(Answer):
    """The process that a session would get, and why."""

    process: str
    rule: str
    inputs: JsonObject


# --- bulk acts -------------------------------------------------------------------------------------------------------


BulkStatus = Literal["preview", "running", "stopped", "following", "finished"]


class BulkProgress(Answer):
    """How far a bulk act is, by what has become of its items. `left`: not asked yet."""

    asked: Annotated[int, Field(ge=0, description="nobody knows yet what becomes of them")]
    healed: Annotated[int, Field(ge=0, description="no longer stuck; of `undo`: undone to the end")]
    still_stuck: Count
    changed: Annotated[int, Field(ge=0, description="changed since the preview: nothing was done")]
    not_allowed: Count
    done: Annotated[int, Field(ge=0, description="of acts that ask nobody")]
    failed: Count
    left: Count


class BulkItem(Answer):
    """One Clerk or parked message of a bulk act, and what became of it."""

    number: Count
    target: str
    version: int
    outcome: Outcome | None
    detail: str | None
    at: Moment | None
    claim: ClaimShown | None


class BulkClaims(Answer):
    """How many Clerks of a bulk act somebody has claimed, as it is now."""

    who: str
    count: Annotated[int, Field(ge=1)]


class BulkLine(Answer):
    """A bulk act."""

    id: str
    action: BulkAction
    params: JsonObject
    reason: str
    who: str
    status: BulkStatus
    per_minute: int | None
    count: Count
    money: AmountByCurrency
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class Bulk(BulkLine):
    """A bulk act, how far it is, and a page of its items."""

    progress: BulkProgress
    claimed: list[BulkClaims]
    items: Page[BulkItem]


# --- people, keys, views, the audit ----------------------------------------------------------------------------------


class Person(Answer):
    """An operator."""

    name: str
    role: OperatorRole
    key_id: str
    disabled: bool
    stays_logged_in: bool
    created_at: Moment


class NewPerson(Answer):
    """A new operator, with a password and a key that are shown here, and never again."""

    name: str
    role: OperatorRole
    password: str
    key: str


class ChangedPerson(Answer):
    """An operator after an act; `key_id` is the key before. `renew` shows a new password and key, once."""

    name: str
    role: OperatorRole
    disabled: bool
    key_id: str
    password: str = ABSENT
    key: str = ABSENT


class Key(Answer):
    """An access key, without itself."""

    id: str
    scope: KeyScope
    role: OperatorRole | None
    name: str
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None


class NewKey(Answer):
    """A new key: it is shown here, and never again."""

    id: str
    scope: KeyScope
    name: str
    expires_at: Moment | None
    key: str


class RevokedKey(Answer):
    """The key opens nothing any more."""

    id: str
    revoked: Literal[True]


class Mention(Answer):
    """A note that names the caller. `number` is that of the history entry."""

    clerk: SessionId
    number: int
    at: Moment
    by: str
    text: str
    seen_at: Moment | None


class SavedView(Answer):
    """A filter of the list of Clerks under a name."""

    name: str
    query: Annotated[str, Field(examples=["stuck=yes"])]
    owner: Annotated[str, Field(description="who has saved it")]
    shared: Annotated[bool, Field(description="everybody sees it; only the owner or an admin changes it")]


class AuditItem(Answer):
    """One item of a bulk act; one that was not asked yet has no outcome."""

    target: str
    outcome: Outcome | None
    detail: str | None


class AuditItems(Answer):
    """What is within a bulk act's line: how many items became what, and the first of them."""

    bulk: str
    action: BulkAction
    status: BulkStatus
    counts: Annotated[dict[str, int], Field(description="by outcome; `left`: not asked yet")]
    first: list[AuditItem]


class AuditEntry(Answer):
    """One attempt: who, what, why, what was before and after. `outcome` is `done`, or the code of the refusal."""

    number: int
    at: Moment
    who: str
    role: str
    action: str
    target: str
    reason: str
    seen: Annotated[int | None, Field(description="the version that the operator had seen")]
    before: JsonObject | None
    after: JsonObject | None
    outcome: str
    detail: str
    bulk: Annotated[str | None, Field(description="the bulk act that it is a part of")]
    items: Annotated[AuditItems | None, Field(description="of a bulk act's own line")]


LIST_PARKED = documented(Page[ParkedMessage], says="A page of parked messages.")
LIST_PARKED_CAUSES = documented(Page[ParkedCause], says="The causes, the most messages first.")
READ_PARKED = documented(ParkedMessage, says="The message.", headers=[ETAG], problems=["not_found"])
ACT_ON_PARKED = documented(
    ParkedMessage,
    says="The message after the act.",
    headers=[ETAG],
    takes=[IF_MATCH],
    problems=["not_found", "not_allowed_now", "version_conflict"],
    current=ParkedMessage,
    role="operator",
)
LIST_PROCESSES = documented(Page[Process], says="All processes.")
READ_CHOSEN_PROCESS = documented(ChosenProcess, says="The process.", problems=["not_found"])
LIST_AUDIT = documented(Page[AuditEntry], says="A page of the audit.")
PREVIEW_BULK = documented(Bulk, 201, says="What it would be for.", headers=[LOCATION], role="admin")
LIST_BULKS = documented(Page[BulkLine], says="The latest ones.")
READ_BULK = documented(Bulk, says="How far it is.", problems=["not_found"])
MOVE_BULK = documented(Bulk, says="As it is now.", problems=["not_found", "not_allowed_now"], role="admin")
LIST_PEOPLE = documented(Page[Person], says="The operators.", role="admin")
ADD_PERSON = documented(
    NewPerson, 201, says="The operator, with password and key.", problems=["not_allowed_now"], role="admin"
)
ACT_ON_PERSON = documented(
    ChangedPerson, says="The operator after the act.", problems=["not_found", "not_allowed_now"], role="admin"
)
LIST_KEYS = documented(Page[Key], says="The keys.", role="admin")
CREATE_KEY = documented(NewKey, 201, says="The key.", role="admin")
ACT_ON_KEY = documented(RevokedKey, says="It is revoked.", problems=["not_found"], role="admin")
LIST_MENTIONS = documented(Page[Mention], says="The notes.")
LIST_VIEWS = documented(Page[SavedView], says="The views.")
SAVE_VIEW = documented(SavedView, says="The view.", problems=["not_allowed_now"])
REMOVE_VIEW = documented(status=204, says="It is forgotten.", problems=["not_found"])
