"""Makes a participant's handlers refuse, fail or not know a command, and its worker die: for `clerk up --faults`.

It happens inside the service's own transaction, in place of its handler, so its turns and records agree afterwards as
they would after a real refusal, failure or crash.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from threading import Event, Thread
from typing import Any, NoReturn

import structlog

from clerk_cli.faults.known_commands import KnownCommands
from clerk_cli.faults.switchboard import (
    PROCESS,
    Fault,
    MessageTraits,
    Switchboard,
)
from clerk_cli.faults.transport import FaultyTransport
from domain.messages import SHOP_MANAGER, Command, Message, ParkedNotice, answer
from domain.refusals import Refused
from messaging.database import Tx
from messaging.database_errors import DATABASE_ERRORS, said_by
from messaging.participant import Participant
from messaging.turns import Dispatcher, Failing, Handler, HandlerResult
from messaging.worker import BatchHandler, Worker

REFUSED = Refused("refused_by_fault", "a fault that was put in force makes this step refuse")
UNDO_FAILED = Refused("undo_failed_by_fault", "a fault that was put in force makes this undo fail")
RETRY_EVERY = 0.2
"""Seconds between two tries of a new worker to reach its database."""
log = structlog.get_logger()


def make_faulty(participant: Participant, transport: FaultyTransport, board: Switchboard, known: KnownCommands) -> None:
    """Wrap this participant's handlers and its worker's batch handler with faults; call it before `start`.

    Raises TypeError when its worker's batch handler is no `Dispatcher`'s.
    """
    worker = participant.workers[0]
    if participant.name != SHOP_MANAGER:
        dispatcher = getattr(worker.handle, "__self__", None)
        if not isinstance(dispatcher, Dispatcher):
            raise TypeError(f"{participant.name}: its worker's handler is no dispatcher's")
        handlers = {
            key: faulty_handler(participant.name, handler, board, known)
            for key, handler in dispatcher.service.handlers.items()
        }
        dispatcher.service = replace(dispatcher.service, handlers=handlers)
    worker.handle = FaultyBatchHandler(participant, transport, board, worker.handle)


def faulty_handler(service: str, handler: Handler[Any], board: Switchboard, known: KnownCommands) -> Handler[Any]:
    """The handler, unless a fault meets the command, `refuse` a do or `fail_undo` an undo: then it is not called.

    After the pivot no service may refuse for good (semantics P1): there it fails for now, and stores nothing.
    """

    def handle(command: Command, uow: Any, now: int) -> HandlerResult:
        traits = traits_of(command)
        if command.direction == "undo":
            return (
                Failing(UNDO_FAILED)
                if board.use(service, "fail_undo", traits, command.id)
                else handler(command, uow, now)
            )
        if not board.use(service, "refuse", traits, command.id):
            return handler(command, uow, now)
        return REFUSED if known.may_refuse(command) else Failing(REFUSED)

    return handle


def traits_of(message: Message) -> MessageTraits:
    return (
        MessageTraits()
        if isinstance(message, ParkedNotice)
        else MessageTraits(message.step, message.name, message.clerk, message.attempt)
    )


class FaultyBatchHandler:
    """A worker's batch handler around the real one: to some commands it replies `unsupported`, at some it dies."""

    def __init__(
        self, participant: Participant, transport: FaultyTransport, board: Switchboard, handle: BatchHandler
    ) -> None:
        self._participant = participant
        self._transport = transport
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
        return isinstance(message, Command) and bool(self._board.use(service, "unsupported", traits_of(message)))

    def _crash(self, messages: Sequence[Message]) -> Fault | None:
        crashes = (self._board.use(self._participant.name, "crash", traits_of(each)) for each in messages)
        return next((fault for fault in crashes if fault), None)

    def _die(self, fault: Fault) -> NoReturn:
        """Die in the middle of a batch: the handlers have run, nothing is committed.

        Either this process is killed, or only this thread ends and loses what it had in memory.
        """
        service = self._participant.name
        log.warning("killed_by_a_fault", service=service, whole_process=fault.name == PROCESS)
        if fault.name == PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)
        dead = self._participant.workers[0]
        Thread(target=self._revive, args=(dead,), name=f"{service}-reviver", daemon=True).start()
        raise SystemExit  # the one exception that ends a thread without a traceback

    def _revive(self, dead: Worker) -> None:
        """What a restart of the service does: a new connection, so the broker delivers again, and a new worker."""
        while dead.alive:
            dead.stop()
        self._transport.drop_connection()
        fresh = Worker(
            dead.service,
            dead.database,
            dead.technical,
            dead.outbox,
            dead.handle,
            transport=dead.transport,
            before_batch=dead.before_batch,
            after_commit=dead.after_commit,
            park_all=dead.park_all,
            senders=dead.senders,
        )
        self._participant.workers = [fresh if each is dead else each for each in self._participant.workers]
        while not self._transport.closed:
            try:
                fresh.start()
                return
            except DATABASE_ERRORS as error:
                log.warning("revival_waits", service=dead.service, trouble=said_by(error))
                self._pause.wait(RETRY_EVERY)
