"""One Clerk and `decide`, without anything around them: `given(STANDARD).started().done("shopping").expect(…)`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.document import SECTION_OF, Document
from domain.messages import Command, Outcome, answer, report_on
from domain.refusals import Refused
from domain.times import minutes
from shop_manager.processes.definition import Process
from shop_manager.saga.deadlines import wake_at
from shop_manager.saga.decide import decide, start
from shop_manager.saga.happenings import (
    Cancelled,
    Decision,
    Expired,
    Happening,
    Parked,
    Replied,
    Started,
    Woke,
)
from shop_manager.saga.policy import Policy
from shop_manager.saga.replies import AMENDABLE
from shop_manager.saga.state import HistoryEntry, Saga, fold
from shop_manager.settings import ShopManagerSettings

NOON = 1_800_000_000_000
POLICY = ShopManagerSettings.model_construct().policy()
"""As it is set by default, whatever the environment says."""


class SagaHarness:
    """One Clerk. Each method makes something happen now, `later` lets time pass; its history is checked each time."""

    def __init__(self, process: Process, policy: Policy | None = None) -> None:
        self.process = process
        self.policy = policy or POLICY
        self.now = NOON
        self.saga: Saga
        self.history: list[HistoryEntry] = []
        self.sent: list[Command] = []
        self.latest: list[Command] = []
        self.last: Decision

    def started(self, *, brought: dict[str, Any] | None = None, minutes_long: float = 30) -> SagaHarness:
        head: dict[str, Any] = {"id": "clk_1", "process": self.process.reference, "shop": "toys", "currency": "EUR"}
        document: Document = {"clerk": head | ({"brought": brought} if brought else {}), "customer": {"id": "ada"}}
        happening = Started(document, self.now + minutes(minutes_long), {"rule": "everybody"})
        return self._take(start(self.process, "clk_1", happening, self.now, self.policy))

    def later(self, milliseconds: int) -> SagaHarness:
        self.now += milliseconds
        return self

    def woke(self) -> SagaHarness:
        return self.happens(Woke())

    def wakes_when_due(self) -> SagaHarness:
        """Time passes until the Clerk has to be looked at."""
        due = wake_at(self.saga)
        assert due is not None, f"{self.saga.status}: nothing will ever wake it"
        self.now = max(self.now, due)
        return self.woke()

    def cancelled(self) -> SagaHarness:
        return self.happens(Cancelled())

    def expired_by_hand(self) -> SagaHarness:
        return self.happens(Expired())

    def parked(self, reason: str = "handler failed") -> SagaHarness:
        return self.happens(Parked(self.question().id, "risk", reason))

    def done(self, step: str, **section: Any) -> SagaHarness:
        return self.replies(step, "done", section=section)

    def undone(self, step: str) -> SagaHarness:
        return self.replies(step, "undone")

    def refused(self, step: str, code: str) -> SagaHarness:
        return self.replies(step, "refused", refusal=Refused(code, code.replace("_", " ")))

    def reports(self, step: str, number: int, *, to: Command | None = None, **section: Any) -> SagaHarness:
        command = to or self.last_command(step)
        document = {**command.document, SECTION_OF[command.service]: section}
        return self.happens(Replied(report_on(command, number, document, self.now)))

    def replies(
        self,
        step: str,
        outcome: Outcome,
        *,
        section: dict[str, Any] | None = None,
        refusal: Refused | None = None,
        to: Command | None = None,
        document: Document | None = None,
    ) -> SagaHarness:
        command = to or self.last_command(step)
        document = command.document if document is None else document
        if section:
            document = {**document, SECTION_OF[command.service]: section}
        return self.happens(Replied(answer(command, outcome, document, self.now, refusal)))

    def goes_through(self, *steps: str) -> SagaHarness:
        for step in steps:
            self.done(step, status="fine")
        return self

    def happens(self, happening: Happening) -> SagaHarness:
        return self._take(decide(self.process, self.saga, happening, self.now, self.policy))

    def _take(self, decision: Decision) -> SagaHarness:
        self.last, self.saga, self.latest = decision, decision.saga, decision.send
        self.history += decision.entries
        self.sent += decision.send
        assert self.saga.version == len(self.history), "the version is the number of history entries"
        assert self._folded() == self._without_timer(self.saga), "the history folds to the saga"
        return self

    def _folded(self) -> Saga:
        return self._without_timer(fold("clk_1", self.history))

    @staticmethod
    def _without_timer(saga: Saga) -> Saga:
        """And without what the client may amend: the history says only what was, not what it is now."""
        theirs = {name: part for name, part in saga.document.items() if name not in AMENDABLE}
        return replace(saga, resend=None, document=theirs if saga.amended else saga.document)

    def last_command(self, step: str) -> Command:
        return [command for command in self.sent if command.step == step][-1]

    def question(self) -> Command:
        return self.sent[-1]

    # --- what is expected ------------------------------------------------------------------------------------------

    def expect_sent(self, *names: str) -> SagaHarness:
        assert [command.name for command in self.latest] == list(names)
        return self

    def expect_nothing_sent(self) -> SagaHarness:
        return self.expect_sent()

    def expect_ignored(self, reason: str) -> SagaHarness:
        assert self.last.ignored is not None, "the reply was taken"
        assert reason in self.last.ignored
        assert self.last.entries == []
        assert self.last.send == []
        return self

    def expect(self, status: str) -> SagaHarness:
        assert self.saga.status == status
        return self

    def expect_stuck(self, kind: str | None, code: str | None = None) -> SagaHarness:
        assert (self.saga.stuck.kind if self.saga.stuck else None) == kind
        if code and self.saga.stuck:
            assert self.saga.stuck.code == code
        return self


def given(process: Process, policy: Policy | None = None) -> SagaHarness:
    return SagaHarness(process, policy)
