"""Ctrl-C is held back while a block must stay in one piece."""

import signal
import threading

import pytest

from facesearch.interruption import held_back


def press():
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def pythons_own():
    """Whatever handler the test runner has, and has again afterwards."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_a_block_is_done_before_it_takes_effect():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        press()
        done.append("all of it")
    assert done == ["all of it"]


def test_a_block_can_say_where_it_takes_effect():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back() as check:
        check()
        press()
        done.append("some of it")
        check()
        done.append("the rest")
    assert done == ["some of it"]


def test_inside_another_block_that_one_says_when():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        with held_back():
            press()
        done.append("what comes after")
    assert done == ["what comes after"]


def test_pressed_again_it_takes_effect_at_once():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        press()
        press()
        done.append("never")
    assert not done


def test_an_error_of_the_block_goes_before():
    with pytest.raises(ValueError, match="first"), held_back():
        press()
        raise ValueError("first")


def test_another_handler_and_other_threads_are_left_alone():
    caught = []
    signal.signal(signal.SIGINT, lambda *_: caught.append("theirs"))
    try:
        with held_back() as check:
            press()
            check()
            assert caught == ["theirs"]
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def elsewhere():
        with held_back() as check:
            caught.append(signal.getsignal(signal.SIGINT))
            check()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert caught == ["theirs", signal.default_int_handler]
