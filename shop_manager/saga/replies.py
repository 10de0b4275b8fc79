"""Replies of services: which of them count (M3), what is taken from them (D1), and what follows. Pure.

A report (M9) is a reply too; `_take_report` says what it changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.document import SECTION_OF, Document, part, split_by_owner
from domain.messages import Reply
from domain.refusals import Refused
from shop_manager.processes.definition import Step, name_and_version
from shop_manager.saga.asking import ask, pause
from shop_manager.saga.draft import Draft
from shop_manager.saga.happenings import Decision
from shop_manager.saga.state import Question
from shop_manager.saga.stuck import NO_REASON, get_stuck, get_unstuck
from shop_manager.saga.undoing import turn_around, undo_next

AMENDABLE = frozenset({"customer", "metadata"})
"""Sections that the client may change while a question is open."""
FITTING = {"do": ("done", "refused", "unsupported"), "undo": ("undone", "refused", "unsupported")}


def take_reply(draft: Draft, reply: Reply) -> Decision:
    """What follows from a reply: it is ignored, with the reason, or counts as done, refused, undone or unsupported."""
    reason = why_ignored(draft, reply)
    if reason:
        return draft.decision(ignored=reason)
    if reply.report:
        _take_report(draft, reply)
    elif reply.outcome == "unsupported":
        get_stuck(draft, "unsupported", Refused("unsupported", f"{reply.name}.v{reply.version} is not known there"))
    elif reply.direction == "undo":
        _take_undo(draft, reply)
    else:
        _take_do(draft, reply)
    return draft.decision()


def why_ignored(draft: Draft, reply: Reply) -> str | None:
    """Why this reply does not count, or None: only the answer to the one open question does (M3)."""
    question = draft.question
    asked = (reply.step, reply.direction, reply.attempt)
    if question and asked == (question.step, question.direction, question.attempt):
        return _why_unfit(question, reply)
    if question and asked[:2] == (question.step, question.direction) and reply.attempt < question.attempt:
        return f"late: it was asked anew meanwhile, as attempt {question.attempt}"
    progress = draft.saga.steps.get(reply.step)
    if progress is None:
        return "not asked: this step was never asked"
    if reply.direction == "do" and progress.state in ("undoing", "undone"):
        return "late: this step is being undone or is undone"
    if reply.attempt > progress.attempts or (reply.direction == "undo" and progress.state not in ("undoing", "undone")):
        return "not asked: nobody has asked this of the step"
    return "repeated: this step has been answered already"


def _why_unfit(question: Question, reply: Reply) -> str | None:
    if question.paused and (reply.report or reply.outcome != "undone"):
        return "repeated: this answer is known, the step will be asked anew"
    if not reply.report and reply.outcome not in FITTING[question.direction]:
        return f"does not fit: {reply.outcome} is no answer to {question.direction}"
    if (reply.name, reply.version) != name_and_version(question.command):
        return f"not asked: the question is {question.command}"
    return None


def _take_report(draft: Draft, reply: Reply) -> None:
    """M9: the section is taken, and nothing else changes. One that is known, or older than the last, is nothing."""
    step, known = draft.process.step(reply.step), draft.saga.reported
    if known and known.step == step.name and reply.report <= known.number:
        return
    section, owned = _owned(draft, reply, step)
    if owned is not None:
        draft.write("reported", step.name, attempt=reply.attempt, number=reply.report, section=section, content=owned)


def _take_do(draft: Draft, reply: Reply) -> None:
    step = draft.process.step(reply.step)
    refusal = reply.refusal or NO_REASON
    if reply.outcome == "done":
        _merge(draft, "done", reply, step)
        go_on(draft, step)
    elif draft.saga.past_pivot and not step.pivot:
        _cannot_now(draft, "do_failed", refusal)
    else:
        get_unstuck(draft)
        draft.write("refused", step.name, attempt=reply.attempt, **refusal.as_json(), **_instead(draft, reply, step))
        turn_around(draft, "failed", {**refusal.as_json(), "step": step.name}, by=step.asks)


def _take_undo(draft: Draft, reply: Reply) -> None:
    if reply.outcome == "undone":
        _merge(draft, "undone", reply, draft.process.step(reply.step))
        undo_next(draft)
    else:
        _cannot_now(draft, "undo_failed", reply.refusal or NO_REASON)


def _cannot_now(draft: Draft, what: str, refusal: Refused) -> None:
    """U5: an undo, or a step after the pivot, cannot be refused: it is asked anew later, for ever.

    The Clerk is stuck after `policy.undo_tries` answers of this kind; one that is stuck already is so for this now.
    """
    question = draft.question
    if question is None:
        return
    until_then = pause(draft.policy, draft.saga.id, replace(question, waits_for=None), question.failures)
    retry_at = draft.now + until_then
    draft.write(what, question.step, attempt=question.attempt, retry_at=retry_at, **refusal.as_json())
    if draft.saga.stuck or question.failures + 1 >= draft.policy.undo_tries:
        get_stuck(draft, "undo_failing" if question.direction == "undo" else "overdue", refusal)


def _instead(draft: Draft, reply: Reply, step: Step) -> dict[str, Any]:
    """What stands in the place of what was reported, when the step is refused in the end."""
    reported = draft.saga.reported
    if reported is None or reported.step != step.name:
        return {}
    section, owned = _owned(draft, reply, step)
    return {"section": section, "content": owned}


def _merge(draft: Draft, what: str, reply: Reply, step: Step) -> None:
    section, owned = _owned(draft, reply, step)
    get_unstuck(draft)
    draft.write(what, step.name, attempt=reply.attempt, section=section, content=owned)


def _owned(draft: Draft, reply: Reply, step: Step) -> tuple[str, Document | None]:
    """D1: only the section that the service owns is taken; what else it has changed is recorded as foreign_edit."""
    section = SECTION_OF[step.asks]
    saga = draft.saga
    ours, theirs = _comparable(saga.document), _comparable(reply.document)
    owned, foreign = split_by_owner(ours, theirs, section)
    if saga.amended and _version_in(reply.document) < saga.amended:  # it was asked before, and says what it was told
        foreign = [name for name in foreign if name not in AMENDABLE]
    if foreign and reply.document:
        draft.write("foreign_edit", step.name, sections=foreign, by=step.asks)
    return section, owned


def _version_in(document: Document) -> int:
    """The Clerk's version when the command was sent that this document came with; 0 where it does not say."""
    version = part(document, "clerk").get("version")
    return version if type(version) is int else 0


def _comparable(document: Document) -> Document:
    """Without the fields that ShopManager itself changes from one question to the next."""
    head = {name: value for name, value in part(document, "clerk").items() if name not in ("version", "expires_at")}
    return {**document, "clerk": head}


def go_on(draft: Draft, step: Step) -> None:
    """This step is done: ask the next one, or complete the order after the last."""
    following = draft.process.after(step.name)
    if following:
        ask(draft, following)
    else:
        draft.write("ended", status="completed")
