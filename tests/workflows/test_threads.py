"""Work in threads: in order, a little ahead, and ended by whoever asked for it."""

import signal
import threading
from contextlib import closing

import pytest

from facesearch.workflows.threads import AHEAD, in_order


def test_answers_come_in_order_whichever_is_done_first():
    second_is_done = threading.Event()

    def work(number):
        if number == 1:
            assert second_is_done.wait(10)
        elif number == 2:
            second_is_done.set()
        return number * 10

    assert list(in_order(work, [1, 2, 3], 2, "test")) == [(1, 10), (2, 20), (3, 30)]


def test_no_more_is_taken_than_a_few_for_each_thread():
    taken = []

    def given():
        for number in range(100):
            taken.append(number)
            yield number

    with closing(in_order(str, given(), 2, "test")) as answers:
        assert next(answers) == (0, "0")
        assert len(taken) == 2 * AHEAD + 1


def test_what_the_work_raises_is_raised_in_its_turn():
    def work(number):
        if number == 2:
            raise LookupError("nothing there")
        return number

    answers = in_order(work, [1, 2, 3], 1, "test")
    assert next(answers) == (1, 1)
    with pytest.raises(LookupError, match="nothing there"):
        next(answers)
    assert list(answers) == []


def test_a_timeout_of_the_work_itself_is_raised_too():
    def work(_):
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="the work's own"):
        next(in_order(work, [1], 1, "test"))


def test_closing_stops_what_was_begun_and_drops_the_rest():
    begun, stopped = [], threading.Event()

    def work(number):
        begun.append(number)
        if number:
            assert stopped.wait(10)
        return number

    answers = in_order(work, range(10), 1, "test", stopped.set)
    assert next(answers) == (0, 0)
    answers.close()
    assert begun in ([0], [0, 1])


def test_an_interruption_ends_the_wait_for_work_that_takes_long():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    stopped = threading.Event()

    def work(_):
        signal.raise_signal(signal.SIGINT)  # whichever thread it is said in, the main one hears of it
        return stopped.wait(10)

    try:
        with pytest.raises(KeyboardInterrupt):
            next(in_order(work, [1], 1, "test", stopped.set))
    finally:
        signal.signal(signal.SIGINT, before)
