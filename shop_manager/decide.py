"""What comes next: `decide(process, clerk, happening, now) → decision`, pure.

Every rule about the order of things is here; what the steps are is in processes/, how a saga changes in saga.py.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

from domain.document import SECTION_OF, Document, merge_owned, part
from domain.messages import Command, Direction, Reply
from domain.refusals import Refused
from domain.times import to_wire
from shop_manager.happenings import Cancelled, Decision, Expired, Happening, Parked, Policy, Replied, Started, Woke
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step, name_and_version
from shop_manager.saga import EndStatus, Entry, Question, Resend, Saga, StuckKind, evolve, fold


def start(process: Process, clerk: str, started: Started, now: int, policy: Policy) -> Decision:
    """The first decision of a Clerk: open it and ask the first step."""
    opened = Entry(
        "opened",
        now,
        data={
            "process": process.reference,
            "digest": process.digest,
            "chosen": started.chosen,
            "expires_at": started.expires_at,
            "document": started.document,
            "traceparent": started.traceparent,
        },
    )
    pen = _Pen(process, fold(clerk, [opened]), now, policy)
    pen.entries.append(opened)
    pen.ask(process.steps[0])
    return pen.decision()


def decide(process: Process, saga: Saga, happening: Happening, now: int, policy: Policy) -> Decision:
    """What follows from one happening. Never raises for a happening that comes late, twice or uninvited."""
    if saga.ended:
        return _after_the_end(saga, happening)
    pen = _Pen(process, saga, now, policy)
    pen.meet_deadlines()
    match happening:
        case Replied(reply):
            return pen.take(reply)
        case Cancelled(by, reason):
            return pen.call_off("canceled", by, reason)
        case Expired():
            return pen.call_off("expired", "shop", "")
        case Parked(command, service, reason):
            pen.note_parked(command, service, reason)
        case Woke():
            pen.ask_again_when_due()
    return pen.decision()


def _after_the_end(saga: Saga, happening: Happening) -> Decision:
    """E1: an end absorbs everything."""
    match happening:
        case Replied():
            return Decision(saga, ignored=f"late: the Clerk has {saga.status} already")
        case Cancelled():
            granted = saga.status == "canceled"
        case Expired():
            granted = saga.status == "expired"
        case _:
            granted = True
    if granted:
        return Decision(saga)
    return Decision(saga, refused=Refused("session_ended", f"the session has ended: it is {saga.status}"))


def wake_at(saga: Saga) -> int | None:
    """When to look at this Clerk again without being told; None after the end."""
    if saga.ended:
        return None
    moments = [saga.resend.at] if saga.resend else []
    if saga.status == "running" and not saga.past_pivot:
        moments.append(saga.expires_at)
    question = saga.question
    if question and question.deadline is not None and not (saga.past_pivot and saga.stuck):
        moments.append(question.deadline)
    return min(moments) if moments else None


class _Pen:
    """Writes entries, keeps the saga they lead to, and collects what is to be sent."""

    def __init__(self, process: Process, saga: Saga, now: int, policy: Policy) -> None:
        self.process = process
        self.saga = saga
        self.now = now
        self.policy = policy
        self.entries: list[Entry] = []
        self.send: list[Command] = []

    def decision(self, ignored: str | None = None, refused: Refused | None = None) -> Decision:
        return Decision(self.saga, self.entries, self.send, ignored, refused)

    def write(self, what: str, step: str | None = None, **data: Any) -> None:
        entry = Entry(what, self.now, step, data)
        self.entries.append(entry)
        self.saga = evolve(self.saga, entry)

    # --- asking ----------------------------------------------------------------------------------------------------

    def ask(self, step: Step, command: str = "", attempt: int = 1) -> None:
        """Ask a step to be done; the limits are set now and never extended by asking again (T1)."""
        self._pose(
            step,
            "do",
            command or step.do,
            attempt=attempt,
            deadline=None if step.within is None or command else self.now + step.within,
            waits_for=None if command or self._brought_along(step) else step.waits_for,
        )

    def ask_undo(self, step: Step, attempt: int = 1, failures: int = 0) -> None:
        self._pose(step, "undo", step.undo or "", attempt=attempt, failures=failures)

    def _pose(
        self,
        step: Step,
        direction: Direction,
        command: str,
        *,
        attempt: int,
        deadline: int | None = None,
        waits_for: str | None = None,
        failures: int = 0,
    ) -> None:
        self.write(
            "asked",
            step.name,
            direction=direction,
            attempt=attempt,
            command=command,
            deadline=deadline,
            waits_for=waits_for,
            failures=failures,
            pivot=step.pivot,
            resend_at=self.now + self.policy.resend_first,
        )
        self._send_question()

    def _brought_along(self, step: Step) -> bool:
        """Did the session bring what this step would wait for? Then its answer comes at once (processes.md)."""
        brought = part(self.saga.document, "clerk").get("brought") or {}
        return step.waits_for == "customer" and SECTION_OF_GIFT.get(step.asks, "") in brought and not step.overdue

    def _send_question(self) -> None:
        question = self.saga.question
        if question is None:
            return
        name, version = name_and_version(question.command)
        self.send.append(
            Command(
                service=self.process.step(question.step).asks,
                name=name,
                version=version,
                clerk=self.saga.id,
                step=question.step,
                attempt=question.attempt,
                direction=question.direction,
                document=outgoing_document(self.saga),
                sent_at=self.now,
                deadline=self._deadline_to_tell(question),
                causation=f"{self.saga.id}/{self.saga.version}",
                traceparent=self.saga.traceparent,
            )
        )

    def _deadline_to_tell(self, question: Question) -> int | None:
        """After which moment nobody may act on the question (T2). From the pivot on, late is better than never."""
        if question.direction == "undo":
            return None
        if self.saga.past_pivot:
            return question.deadline if self.process.step(question.step).overdue else None
        return min(self.saga.expires_at, question.deadline or self.saga.expires_at)

    def ask_again_when_due(self) -> None:
        """M4: no answer, so the same question goes out again; after "cannot now" a new attempt (U5)."""
        saga, question = self.saga, self.saga.question
        if question is None or saga.resend is None or saga.resend.at > self.now or self.send:
            return
        if question.paused:
            self._ask_anew(question)
            return
        count = saga.resend.count + 1
        self.saga = replace(saga, resend=Resend(self.now + self._pause(count, question), count))
        if question.direction == "undo" and count >= self.policy.undo_tries:
            self.get_stuck("undo_failing", "no_answer", f"asked {count + 1} times without an answer")
        self._send_question()

    def _ask_anew(self, question: Question) -> None:
        step = self.process.step(question.step)
        if question.direction == "undo":
            self.ask_undo(step, question.attempt + 1, question.failures)
            return
        self._pose(
            step,
            "do",
            question.command,
            attempt=question.attempt + 1,
            deadline=question.deadline,
            waits_for=question.waits_for,
            failures=question.failures,
        )

    def _pause(self, count: int, question: Question) -> int:
        """5 s, then doubling up to 60 s with jitter. A person may be slow: there it doubles up to an hour."""
        most = self.policy.resend_most_person if question.waits_for else self.policy.resend_most
        pause = min(self.policy.resend_first << min(count, 16), most)
        jitter = zlib.crc32(f"{self.saga.id}/{count}".encode()) % 200
        return pause * (1000 - jitter) // 1000

    # --- replies ---------------------------------------------------------------------------------------------------

    def take(self, reply: Reply) -> Decision:
        reason = self._not_asked(reply)
        if reason:
            return self.decision(ignored=reason)
        if reply.outcome == "unsupported":
            self.get_stuck("unsupported", "unsupported", f"{reply.name}.v{reply.version} is not known there")
            return self.decision()
        if reply.direction == "undo":
            self._take_undo(reply)
        else:
            self._take_do(reply)
        return self.decision()

    def _not_asked(self, reply: Reply) -> str | None:
        """M3: only the answer to the one outstanding question counts. Why this one does not, or None."""
        question = self.saga.question
        asked = (reply.step, reply.direction, reply.attempt)
        if question and asked == (question.step, question.direction, question.attempt):
            if question.paused and reply.outcome != "undone":
                return "repeated: this answer is known, the step will be asked anew"
            if reply.outcome not in _FITTING[question.direction]:
                return f"does not fit: {reply.outcome} is no answer to {question.direction}"
            if (reply.name, reply.version) != name_and_version(question.command):
                return f"not asked: the question is {question.command}"
            return None
        progress = self.saga.steps.get(reply.step)
        if progress is None:
            return "not asked: this step was never asked"
        if reply.attempt > progress.attempts:
            return "not asked: there was no such attempt"
        if progress.state in ("undoing", "undone") and reply.direction == "do":
            return "late: this step is being undone or is undone"
        return "repeated: this step has been answered already"

    def _take_do(self, reply: Reply) -> None:
        step = self.process.step(reply.step)
        if reply.outcome == "done":
            self._merge("done", reply, step)
            self._go_on(step)
            return
        refusal = reply.refusal or Refused("refused", "no reason was given")
        if self.saga.past_pivot and not step.pivot:
            self._cannot_now("do_failed", refusal)
            return
        self.get_unstuck()
        self.write("refused", step.name, attempt=reply.attempt, **refusal.as_json())
        self.turn_around("failed", {**refusal.as_json(), "step": step.name}, by=step.asks)

    def _take_undo(self, reply: Reply) -> None:
        if reply.outcome == "undone":
            self._merge("undone", reply, self.process.step(reply.step))
            self.undo_next()
        else:
            self._cannot_now("undo_failed", reply.refusal or Refused("refused", "no reason was given"))

    def _cannot_now(self, what: str, refusal: Refused) -> None:
        """U5: there is no business "no" to an undo, nor after the pivot. Ask anew later; after N times a person is told."""
        question = self.saga.question
        if question is None:
            return
        retry_at = self.now + self._pause(question.failures, replace(question, waits_for=None))
        self.write(what, question.step, attempt=question.attempt, retry_at=retry_at, **refusal.as_json())
        if question.failures + 1 >= self.policy.undo_tries:
            kind: StuckKind = "undo_failing" if question.direction == "undo" else "overdue"
            self.get_stuck(kind, refusal.code, refusal.detail)

    def _merge(self, what: str, reply: Reply, step: Step) -> None:
        """D1: the owner's section and nothing else; any other difference is recorded, never merged."""
        section = SECTION_OF[step.asks]
        _, foreign = merge_owned(_comparable(self.saga.document), _comparable(reply.document), section)
        if foreign and reply.document:
            self.write("foreign_edit", step.name, sections=foreign, by=step.asks)
        self.get_unstuck()
        content = reply.document.get(section)
        self.write(
            what,
            step.name,
            attempt=reply.attempt,
            section=section,
            content=content if isinstance(content, dict) else None,
        )

    def _go_on(self, step: Step) -> None:
        following = self.process.after(step.name)
        if following:
            self.ask(following)
        else:
            self.write("ended", status="completed")

    # --- turning around --------------------------------------------------------------------------------------------

    def call_off(self, ending: EndStatus, by: str, reason: str) -> Decision:
        """Cancel, or expire on demand. Twice is once (U8); past the pivot it is refused (P2)."""
        if self.saga.status == "undoing":
            return self.decision()
        if self.saga.past_pivot:
            detail = "the order is past the point of no return: it is being completed"
            return self.decision(refused=Refused("past_the_pivot", detail))
        failure = None if ending == "canceled" else {**SESSION_EXPIRED.as_json(), "step": self._current_step()}
        self.turn_around(ending, failure, by, reason)
        return self.decision()

    def turn_around(self, ending: EndStatus, failure: dict[str, Any] | None, by: str, reason: str = "") -> None:
        self.write("turned_around", ending=ending, failure=failure, by=by, reason=reason)
        self.undo_next()

    def undo_next(self) -> None:
        """U1: strictly in reverse, the next only after the last is confirmed. U2: who refused has kept nothing."""
        for step in reversed(self.process.steps[: self.process.pivot_index]):
            to_undo = self.saga.state_of(step.name) in ("asked", "waiting", "done")
            if to_undo and step.undo != NOTHING_TO_UNDO:
                self.ask_undo(step)
                return
        self.write("ended", status=self.saga.ending or "failed")

    def _current_step(self) -> str | None:
        return self.saga.question.step if self.saga.question else None

    # --- time ------------------------------------------------------------------------------------------------------

    def meet_deadlines(self) -> None:
        """T2: whatever happens, a deadline that has passed comes first, unless it fell into an outage (T5)."""
        if self.saga.status != "running":
            return
        self._spare_outages()
        question = self.saga.question
        step_is_over = question is not None and question.deadline is not None and question.deadline <= self.now
        if self.saga.past_pivot:
            if question and step_is_over:
                self._overdue(question)
        elif self.saga.expires_at <= self.now:
            self.turn_around("expired", {**SESSION_EXPIRED.as_json(), "step": self._current_step()}, by="deadline")
        elif question and step_is_over:
            self.turn_around("expired", {**_step_expired(question).as_json(), "step": question.step}, by="deadline")

    def _spare_outages(self) -> None:
        """T5: a deadline that fell due while nobody could take replies moves, on the row, to a grace after the outage."""
        question, policy = self.saga.question, self.policy
        if self.saga.past_pivot:
            return
        session = policy.outage_over(self.saga.expires_at)
        of_step = question.deadline if question else None
        step = policy.outage_over(of_step) if of_step is not None else None
        if session is None and step is None:
            return
        self.write(
            "deadlines_moved",
            question.step if question else None,
            expires_at=session.end + policy.grace if session else self.saga.expires_at,
            deadline=step.end + policy.grace if step else of_step,
            why="the deadline fell into an outage",
        )
        self._send_question()

    def _overdue(self, question: Question) -> None:
        """P1: after the pivot there is only forward. Ask what the process says for this case, or tell a person."""
        step = self.process.step(question.step)
        if step.overdue and question.command != step.overdue:
            self.ask(step, command=step.overdue, attempt=question.attempt + 1)
        elif question.waits_for:
            self.get_stuck("overdue", "overdue", f"the {question.waits_for} has not acted in time")
        else:
            self.get_stuck("no_answer", "no_answer", f"{step.asks} has not answered in time")

    # --- stuck -----------------------------------------------------------------------------------------------------

    def note_parked(self, command: str, service: str, reason: str) -> None:
        question = self.saga.question
        if question and command == f"{self.saga.id}/{question.step}/{question.attempt}/{question.direction}":
            self.get_stuck("parked_message", "parked", f"{service} has parked the command: {reason}"[:500])

    def get_stuck(self, kind: StuckKind, code: str, detail: str) -> None:
        """Tell the operators, once: the first cause stays until the question is answered."""
        question = self.saga.question
        if question is None or self.saga.stuck:
            return
        service = self.process.step(question.step).asks
        self.write("stuck", question.step, kind=kind, service=service, code=code, detail=detail)

    def get_unstuck(self) -> None:
        if self.saga.stuck:
            self.write("unstuck", self.saga.stuck.step)


SECTION_OF_GIFT = {"shop": "items", "payment": "payment"}
"""Which part of `clerk.brought` answers for the customer at which service."""
SESSION_EXPIRED = Refused("session_expired", "the session's time was over before the order was complete")
_FITTING = {"do": ("done", "refused", "unsupported"), "undo": ("undone", "refused", "unsupported")}


def _step_expired(question: Question) -> Refused:
    who = "the customer" if question.waits_for else "the service"
    return Refused("step_expired", f"{who} did not answer in time at the step {question.step}")


def outgoing_document(saga: Saga) -> Document:
    """The document as services get it: with the Clerk's version and deadline of this moment."""
    head = {**saga.document["clerk"], "version": saga.version, "expires_at": to_wire(saga.expires_at)}
    return {**saga.document, "clerk": head}


def _comparable(document: Document) -> Document:
    """Without what changes from one question to the next by ShopManager's own hand."""
    head = {name: value for name, value in part(document, "clerk").items() if name not in ("version", "expires_at")}
    return {**document, "clerk": head}
