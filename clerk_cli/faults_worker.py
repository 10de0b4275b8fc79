"""A participant whose rules refuse, fail, or know nothing, and whose worker dies on request: for `clerk up --faults`.

All of it happens inside the service's own transaction, in place of its rule: its turns and records agree afterwards,
as they would after a real refusal, failure or death.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from threading import Event, Thread
from typing import Any, NoReturn

import structlog

from clerk_cli.faults import PROCESS, Fault, Sign, Switchboard
from clerk_cli.faults_known import Known
from clerk_cli.faulty_link import FaultyLink
from domain.messages import SHOP_MANAGER, Command, Message, Notice, answer
from domain.refusals import Refused
from messaging.database import Tx
from messaging.participant import Participant
from messaging.turns import Answer, Desk, Failing, Rule
from messaging.worker import DATABASE_ERRORS, Handler, Worker

REFUSED = Refused("refused_by_fault", "a fault that was put in force makes this step refuse")
UNDO_FAILED = Refused("undo_failed_by_fault", "a fault that was put in force makes this undo fail")
PAUSE = 0.2
"""Seconds between two tries of a new worker to reach its database."""
log = structlog.get_logger()


def make_faulty(participant: Participant, link: FaultyLink, board: Switchboard, known: Known) -> None:
    """Put the faults of this participant at its rules and its worker; call it before `start`.

    TypeError when it is no participant as we build them.
    """
    worker = participant.workers[0]
    if participant.name != SHOP_MANAGER:
        desk = getattr(worker.handle, "__self__", None)
        if not isinstance(desk, Desk):
            raise TypeError(f"{participant.name}: its worker's handler is no desk's")
        rules = {key: faulty_rule(participant.name, rule, board, known) for key, rule in desk.service.rules.items()}
        desk.service = replace(desk.service, rules=rules)
    worker.handle = FaultyHandler(participant, link, board, worker.handle)


def faulty_rule(service: str, rule: Rule[Any], board: Switchboard, known: Known) -> Rule[Any]:
    """The rule, unless a fault says `refuse` to a do, or `fail_undo` to an undo: then it is not run.

    Behind the pivot nobody may refuse for good: there the service says "cannot now", and keeps nothing of it.
    """

    def decide(command: Command, books: Any, now: int) -> Answer:
        sign = sign_of(command)
        if command.direction == "undo":
            return (
                Failing(UNDO_FAILED) if board.use(service, "fail_undo", sign, command.id) else rule(command, books, now)
            )
        if not board.use(service, "refuse", sign, command.id):
            return rule(command, books, now)
        return REFUSED if known.may_refuse(command) else Failing(REFUSED)

    return decide


def sign_of(message: Message) -> Sign:
    return Sign() if isinstance(message, Notice) else Sign(message.step, message.name, message.clerk, message.attempt)


class FaultyHandler:
    """A worker's handler around the real one: some commands are unknown to it, and with some messages it dies."""

    def __init__(self, participant: Participant, link: FaultyLink, board: Switchboard, handle: Handler) -> None:
        self._participant = participant
        self._link = link
        self._board = board
        self._handle = handle
        self._pause = Event()

    def __call__(self, tx: Tx, messages: Sequence[Message]) -> list[Message]:
        unknown = [message for message in messages if self._is_unknown(message)]
        known = [message for message in messages if message not in unknown]
        outgoing = self._handle(tx, known) if known else []
        crash = self._crash(messages)
        if crash:
            self._die(crash)
        return outgoing + [
            answer(command, "unsupported", command.document, tx.now())
            for command in unknown
            if isinstance(command, Command)
        ]

    def _is_unknown(self, message: Message) -> bool:
        service = self._participant.name
        return isinstance(message, Command) and bool(self._board.use(service, "unsupported", sign_of(message)))

    def _crash(self, messages: Sequence[Message]) -> Fault | None:
        crashes = (self._board.use(self._participant.name, "crash", sign_of(each)) for each in messages)
        return next((fault for fault in crashes if fault), None)

    def _die(self, fault: Fault) -> NoReturn:
        """In the middle of a batch: the rules have run, nothing is committed.

        Either this very process is killed; or this thread ends, and what it had in memory with it.
        """
        service = self._participant.name
        log.warning("killed_by_a_fault", service=service, whole_process=fault.name == PROCESS)
        if fault.name == PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)
        dead = self._participant.workers[0]
        Thread(target=self._revive, args=(dead,), name=f"{service}-reviver", daemon=True).start()
        raise SystemExit  # the one exception with which a thread may end silently

    def _revive(self, dead: Worker) -> None:
        """What starting the service again does: a new connection, to which the broker delivers again, and a worker."""
        while dead.alive:
            dead.stop()
        self._link.break_off()
        fresh = Worker(
            dead.service,
            dead.database,
            dead.schema,
            dead.outbox,
            dead.handle,
            link=dead.link,
            before_batch=dead.before_batch,
            after_commit=dead.after_commit,
            park_all=dead.park_all,
        )
        self._participant.workers = [fresh if each is dead else each for each in self._participant.workers]
        while not self._link.closed:
            try:
                fresh.start()
                return
            except DATABASE_ERRORS as error:
                log.warning("revival_waits", service=dead.service, trouble=str(getattr(error, "orig", None) or error))
                self._pause.wait(PAUSE)
