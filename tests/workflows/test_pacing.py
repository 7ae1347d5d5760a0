"""Calls follow one another at the rate that is asked for, and at the rate that the service can bear."""

from __future__ import annotations

import heapq
import math
import threading
import time
from itertools import pairwise
from random import Random

import pytest

from facesearch.workflows.pacing import SAVED, SLOWEST, Pace, StoppedError


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Service:
    """A token bucket: so many calls a second, and as many at once as `room` holds."""

    def __init__(self, quota, room=5.0):
        self.quota, self.room, self.tokens, self.seen = quota, room, room, None

    def takes(self, now):
        if self.seen is not None:
            self.tokens = min(self.room, self.tokens + (now - self.seen) * self.quota)
        self.seen = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def simulate(pace, clock, service, seconds, start=1000.0):
    """Calls as fast as the pace allows; a throttled one is repeated after a pause that doubles, as botocore does.

    Returns how many were answered, and how many tries were throttled, after `start`.
    """
    chance = Random(1)
    end = clock.now + seconds
    repeats: list[tuple[float, int]] = []
    answered = throttled = 0
    turn = clock.now + pace.take()
    while (now := min(turn, repeats[0][0] if repeats else math.inf)) < end:
        clock.now = max(clock.now, now)
        if now == turn:
            tries = 0
            turn = clock.now + pace.take()
        else:
            _, tries = heapq.heappop(repeats)
        if service.takes(clock.now):
            answered += now >= start
        else:
            throttled += now >= start
            pace.throttled()
            heapq.heappush(repeats, (clock.now + chance.random() * min(20, 2**tries), tries + 1))
    return answered, throttled


def test_turns_are_evenly_spaced_and_no_faster_than_the_rate():
    pace = Pace(50, clock=Clock())
    waits = [pace.take() for _ in range(50)]
    assert waits[0] == 0
    assert all(later - earlier == pytest.approx(0.02) for earlier, later in pairwise(waits))


def test_turns_that_nobody_took_are_not_saved_up():
    clock = Clock()
    pace = Pace(50, clock=clock)
    pace.take()
    clock.now += 60
    waits = [pace.take() for _ in range(50)]
    assert sum(wait == 0 for wait in waits) <= 50 * SAVED + 1


def test_without_a_rate_nobody_waits():
    pace = Pace(None, clock=Clock())
    assert {pace.take() for _ in range(1000)} == {0.0}


def test_at_the_services_own_quota_almost_nothing_is_throttled():
    clock = Clock()
    answered, throttled = simulate(Pace(50, clock=clock), clock, Service(50), 60)
    assert answered / 60 >= 0.95 * 50
    assert throttled <= 0.02 * answered


@pytest.mark.parametrize(("rate", "quota"), [(50, 40), (50, 6), (200, 50), (None, 50)])
def test_a_quota_that_nobody_said_is_found_out(rate, quota):
    clock = Clock()
    pace = Pace(rate, clock=clock)
    answered, throttled = simulate(pace, clock, Service(quota), 120, start=1020.0)
    assert answered / 100 >= 0.9 * quota
    assert throttled <= 0.06 * answered


def test_after_throttling_the_rate_comes_back_to_where_it_was():
    clock = Clock()
    pace = Pace(50, clock=clock)
    simulate(pace, clock, Service(10), 20)
    assert pace.rate < 15
    simulate(pace, clock, Service(1000), 40)
    assert pace.rate == 50


@pytest.mark.parametrize(("rate", "least"), [(50, 5), (None, SLOWEST)])
def test_throttling_that_has_nothing_to_do_with_the_rate_does_not_bring_calls_to_a_halt(rate, least):
    clock = Clock()
    pace = Pace(rate, clock=clock)
    for _ in range(1000):
        clock.now += pace.take() + 0.01
        pace.throttled()
    assert pace.rate >= least


def test_who_waits_for_a_turn_is_let_go_when_the_run_is_over():
    pace = Pace(0.01)
    pace.turn()
    ended = []

    def wait():
        try:
            pace.turn()
        except StoppedError:
            ended.append(time.monotonic())

    waiting = threading.Thread(target=wait)
    waiting.start()
    pace.stop()
    waiting.join(5)
    assert ended
    with pytest.raises(StoppedError):
        Pace.turn(pace)
