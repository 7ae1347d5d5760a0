"""Work on files goes on beside the requests, one piece after the other, and no failure ends it."""

import multiprocessing
import threading

from facesearch.engine.upkeep import Upkeep


def test_work_that_waits_already_is_not_asked_for_twice():
    upkeep, done = Upkeep(), []
    started, go = threading.Event(), threading.Event()

    def first():
        started.set()
        assert go.wait(30)
        done.append("first")

    upkeep.ask(1, first)
    assert started.wait(30)
    for turn in range(3):
        upkeep.ask(2, lambda turn=turn: done.append(turn))
    upkeep.ask(1, lambda: done.append("again"))
    go.set()
    upkeep.wait()
    assert done == ["first", 0, "again"]


def test_the_thread_ends_when_nothing_is_left_and_another_begins_for_more():
    upkeep, threads = Upkeep(), []
    for _ in range(2):
        upkeep.ask(1, lambda: threads.append(threading.current_thread()))
        upkeep.wait()
        threads[-1].join(30)
        assert not threads[-1].is_alive()
    assert threads[0] is not threads[1]
    upkeep.wait()


def test_work_that_fails_is_logged_and_ends_no_other(caplog):
    upkeep, done = Upkeep(), []

    def failing():
        raise RuntimeError("the disk went away")

    upkeep.ask(1, failing)
    upkeep.ask(2, lambda: done.append(2))
    upkeep.wait()
    assert done == [2]
    assert "the disk went away" in caplog.text


def test_where_no_thread_can_be_started_the_work_is_left_for_later(monkeypatch):
    upkeep, done = Upkeep(), []

    def none_left(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    upkeep.ask(1, lambda: done.append("too early"))
    upkeep.wait()
    monkeypatch.undo()
    upkeep.ask(1, lambda: done.append("later"))
    upkeep.wait()
    assert done == ["later"]


def test_a_child_of_fork_neither_waits_for_its_parents_thread_nor_goes_without_its_own():
    upkeep, go = Upkeep(), threading.Event()
    context = multiprocessing.get_context("fork")
    ends, answers = context.Pipe(duplex=False)

    def child():
        upkeep.wait()
        upkeep.ask(1, lambda: answers.send("done in the child"))
        upkeep.wait()

    upkeep.ask(1, lambda: go.wait(30))
    process = context.Process(target=child)
    process.start()
    try:
        assert ends.poll(30)
        assert ends.recv() == "done in the child"
        process.join(30)
        assert process.exitcode == 0
    finally:
        go.set()
        upkeep.wait()
        process.kill()
