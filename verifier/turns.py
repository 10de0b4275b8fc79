"""Pure: each service's turns say of each step what the Clerk says of it (I7, I8, I10, I14)."""

from __future__ import annotations

from collections.abc import Iterator

from messaging.facts import TurnFacts
from verifier.facts import Facts
from verifier.liveness import is_over
from verifier.repairs import ASK_AGAIN, BY_HAND, RESTORED, Repair, undo_at
from verifier.violation import Violation

CONCLUDED = {"do": ("done", "refused"), "undo": ("undone",)}


def check_turns(facts: Facts) -> Iterator[Violation]:
    if facts.process is None:
        return
    settled, put_back = facts.settled, facts.put_back
    asks = {step.name: step.asks for step in facts.process.steps if step.asks not in settled}
    turns_of = facts.services.turns()
    for service, turns in turns_of.items():
        for step, turn in turns.items() if service not in settled else ():
            if (asks.get(step) != service or step not in facts.saga.steps) and service not in put_back:
                repair = _undone_by(facts, service, turn)
                found = f"{service} has a turn there, {turn.state}"
                yield Violation("I8", facts.id, f"{step} was never asked of {service}", found, repair)
    for step, progress in facts.saga.steps.items():
        asked = asks.get(step)
        if asked is not None:
            yield from _step(facts, step, progress.state, asked, turns_of[asked].get(step))


def _step(facts: Facts, step: str, state: str, service: str, turn: TurnFacts | None) -> Iterator[Violation]:
    if turn and turn.state == "undone" and step in facts.repaired:
        return
    if state in ("asked", "waiting"):
        if turn and turn.state == "undone":
            yield _violation(facts, "I10", f"{service} keeps {step} until it is asked to undo it", "it is undone there")
    elif state != "undoing" and (turn is None or turn.state != state):
        yield _differs(facts, step, state, service, turn)
    if turn and state not in ("undoing", "undone") and turn.attempt > facts.saga.steps[step].attempts:
        attempts = facts.saga.steps[step].attempts
        expected = f"{service} was asked {step} {attempts} times"
        yield Violation("I8", facts.id, expected, f"it has answered attempt {turn.attempt}", RESTORED)
    if turn:
        yield from _lost_answer(facts, step, service, turn)


def _differs(facts: Facts, step: str, state: str, service: str, turn: TurnFacts | None) -> Violation:
    there = turn.state if turn else "nothing"
    if state == "undone" and turn:
        found = f"it is {there} there"
        return Violation("I10", facts.id, f"{step} stays undone at {service}", found, _undone_by(facts, service, turn))
    if state == "done" and there == "undone":
        return _violation(facts, "I10", f"nobody has asked {service} to undo {step}", "it is undone there")
    repair = _undone_by(facts, service, turn)
    return Violation("I14", facts.id, f"{step} is {state} at {service} too", f"it is {there} there", repair)


def _undone_by(facts: Facts, service: str, turn: TurnFacts | None) -> Repair:
    """The undo of the service if the order failed and it has a turn; else people say which of the two is right."""
    return undo_at(facts, service, RESTORED) if turn and facts.failed else RESTORED


def _lost_answer(facts: Facts, step: str, service: str, turn: TurnFacts) -> Iterator[Violation]:
    """I8: an answer that was given and never arrived."""
    question = facts.saga.question
    if question is None or question.step != step or question.paused or turn.attempt > question.attempt:
        return
    if turn.state in CONCLUDED[question.direction] and is_over(facts, max(turn.updated_at, question.asked_at)):
        expected = f"the answer of {service} to {step}/{question.direction} arrives"
        yield Violation("I8", facts.id, expected, f"it is {turn.state} there, and still asked here", ASK_AGAIN)


def _violation(facts: Facts, invariant: str, expected: str, found: str) -> Violation:
    return Violation(invariant, facts.id, expected, found, BY_HAND)
