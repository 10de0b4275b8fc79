"""Answers: which replies count (M3), what is taken from them (D1), and what follows."""

from __future__ import annotations

from dataclasses import replace

from domain.document import SECTION_OF, Document, merge_owned, part
from domain.messages import Reply
from domain.refusals import Refused
from shop_manager.deciding.asking import ask, pause
from shop_manager.deciding.draft import Draft
from shop_manager.deciding.stuck import get_stuck, get_unstuck
from shop_manager.deciding.undoing import turn_around, undo_next
from shop_manager.happenings import Decision
from shop_manager.processes.definition import Step, name_and_version
from shop_manager.saga import Question

FITTING = {"do": ("done", "refused", "unsupported"), "undo": ("undone", "refused", "unsupported")}
NO_REASON = Refused("refused", "no reason was given")


def take(draft: Draft, reply: Reply) -> Decision:
    """What one reply leads to; one that answers nothing is ignored, with the reason."""
    reason = why_ignored(draft, reply)
    if reason:
        return draft.decision(ignored=reason)
    if reply.outcome == "unsupported":
        get_stuck(draft, "unsupported", Refused("unsupported", f"{reply.name}.v{reply.version} is not known there"))
    elif reply.direction == "undo":
        _take_undo(draft, reply)
    else:
        _take_do(draft, reply)
    return draft.decision()


def why_ignored(draft: Draft, reply: Reply) -> str | None:
    """M3: only the answer to the one outstanding question counts. Why this one does not, or None."""
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
    if question.paused and reply.outcome != "undone":
        return "repeated: this answer is known, the step will be asked anew"
    if reply.outcome not in FITTING[question.direction]:
        return f"does not fit: {reply.outcome} is no answer to {question.direction}"
    if (reply.name, reply.version) != name_and_version(question.command):
        return f"not asked: the question is {question.command}"
    return None


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
        draft.write("refused", step.name, attempt=reply.attempt, **refusal.as_json())
        turn_around(draft, "failed", {**refusal.as_json(), "step": step.name}, by=step.asks)


def _take_undo(draft: Draft, reply: Reply) -> None:
    if reply.outcome == "undone":
        _merge(draft, "undone", reply, draft.process.step(reply.step))
        undo_next(draft)
    else:
        _cannot_now(draft, "undo_failed", reply.refusal or NO_REASON)


def _cannot_now(draft: Draft, what: str, refusal: Refused) -> None:
    """U5: an undo has no business "no", nor has a step after the pivot. Ask anew later; after N times tell a person."""
    question = draft.question
    if question is None:
        return
    retry_at = draft.now + pause(draft, replace(question, waits_for=None), question.failures)
    draft.write(what, question.step, attempt=question.attempt, retry_at=retry_at, **refusal.as_json())
    if question.failures + 1 >= draft.policy.undo_tries:
        get_stuck(draft, "undo_failing" if question.direction == "undo" else "overdue", refusal)


def _merge(draft: Draft, what: str, reply: Reply, step: Step) -> None:
    """D1: the owner's section and nothing else; any other difference is recorded, never merged."""
    section = SECTION_OF[step.asks]
    _, foreign = merge_owned(_comparable(draft.saga.document), _comparable(reply.document), section)
    if foreign and reply.document:
        draft.write("foreign_edit", step.name, sections=foreign, by=step.asks)
    get_unstuck(draft)
    content = reply.document.get(section)
    owned = content if isinstance(content, dict) else None
    draft.write(what, step.name, attempt=reply.attempt, section=section, content=owned)


def _comparable(document: Document) -> Document:
    """Without what changes from one question to the next by ShopManager's own hand."""
    head = {name: value for name, value in part(document, "clerk").items() if name not in ("version", "expires_at")}
    return {**document, "clerk": head}


def go_on(draft: Draft, step: Step) -> None:
    """This step is done: ask the next, or it is complete."""
    following = draft.process.after(step.name)
    if following:
        ask(draft, following)
    else:
        draft.write("ended", status="completed")
