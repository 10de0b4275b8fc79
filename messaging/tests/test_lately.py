"""What is asked often and found out seldom."""

from __future__ import annotations

from threading import Event, Thread

from sqlalchemy.exc import OperationalError

from messaging.lately import EVERY, Lately


class Source:
    def __init__(self) -> None:
        self.reads = 0
        self.now = 100.0
        self.away = False

    def read(self) -> int:
        self.reads += 1
        if self.away:
            raise OperationalError("SELECT 1", {}, Exception("connection refused"))
        return self.reads


def test_a_storm_of_questions_is_one_read() -> None:
    source = Source()
    lately = Lately(source.read, clock=lambda: source.now)
    assert [lately.value() for _ in range(100)] == [1] * 100
    source.now += EVERY
    assert [lately.value() for _ in range(100)] == [2] * 100


def test_while_the_database_is_away_there_is_nothing_and_it_is_not_asked_more_often() -> None:
    source = Source()
    lately = Lately(source.read, clock=lambda: source.now)
    assert lately.value() == 1
    source.away, source.now = True, source.now + EVERY
    assert [lately.value(), lately.value(), source.reads] == [None, None, 2]
    source.away, source.now = False, source.now + EVERY
    assert lately.value() == 3


def test_while_one_thread_reads_the_others_get_what_was_found_before() -> None:
    begun, goes_on = Event(), Event()

    def hangs() -> str:
        begun.set()
        assert goes_on.wait(10)
        return "found"

    lately = Lately(hangs)
    reading = Thread(target=lately.value)
    reading.start()
    assert begun.wait(10)
    assert lately.value() is None
    goes_on.set()
    reading.join(10)
    assert lately.value() == "found"
