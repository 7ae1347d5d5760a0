"""Calls at a rate: evenly spaced turns, fewer of them while the service throttles, and more again after.

botocore repeats a throttled call by itself. Here is only decided how fast new ones follow, and a repeat takes the
turn of a new call, so that both together stay within the rate.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

SAVED = 0.08  # seconds' worth of turns that may be made up for when nobody was ready to take them
SETTLING = 1.0  # seconds that a lower rate is given before it is judged
WINDOW = 10.0  # seconds over which calls are counted
SLOWEST = 10.0  # calls a second, below which no throttling brings calls whose quota is not known
TOLERATED = 0.02  # the share of throttled tries that a rate near the quota has by chance
GENTLE, HARD = 0.96, 0.5  # what is left of the rate at least and at most after a throttled call


class StoppedError(Exception):
    """No more turns are given: the run is over."""


class Pace:
    """Gives turns to call: at most `rate` a second, or without limit until the service throttles (None).

    Safe to share between threads. The rate falls by the share of calls that were throttled, once a second at most;
    it grows again slowly at first, and faster the longer all goes well, up to where it began. It never falls below
    a tenth of that, since throttling may have nothing to do with these calls.
    """

    def __init__(self, rate: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ceiling = rate or math.inf
        self._floor = rate / 10 if rate else SLOWEST
        self._rate = self._ceiling
        self._clock = clock
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._next = self._since = self._changed = self._grown = clock()  # the next turn is now
        self._given = self._throttled = 0.0  # turns, and throttled tries, since `_since`

    @property
    def rate(self) -> float:
        """Calls a second at present; infinite where nothing limits them."""
        return self._rate

    @property
    def stopped(self) -> bool:
        """Whether the run is over."""
        return self._over.is_set()

    def turn(self) -> None:
        """Wait for the next turn. Raises StoppedError."""
        wait = self.take()
        if self._over.wait(wait) if wait > 0 else self.stopped:
            raise StoppedError

    def take(self) -> float:
        """Take the next turn, and answer how many seconds there are until then."""
        with self._lock:
            now = self._clock()
            self._grow(now)
            self._forget(now)
            self._given += 1
            at = max(self._next, now - SAVED)
            self._next = at + 1 / self._rate
            return max(0.0, at - now)

    def throttled(self) -> None:
        """A try was told to slow down; botocore is going to repeat it."""
        with self._lock:
            now = self._clock()
            self._throttled += 1
            if self._rate < math.inf:
                self._next = max(self._next, now) + 1 / self._rate
            if now - self._changed < SETTLING and self._rate < self._ceiling:
                return
            if self._rate == math.inf:
                self._rate = self._given / max(now - self._since, SAVED)  # what was made without a limit
            share = self._throttled / (self._given + self._rate * SETTLING)  # one alone says little
            if share <= TOLERATED:
                return
            self._rate = max(self._floor, self._rate * min(GENTLE, max(HARD, 1 - share)))
            self._since = self._changed = self._grown = now
            self._given = self._throttled = 0.0

    def stop(self) -> None:
        """Give no more turns, not to those either who are waiting for one."""
        self._over.set()

    def _grow(self, now: float) -> None:
        """By half a percent a second in the first second after the last change, a percent in the next, and on."""
        if self._rate < self._ceiling:
            speed = min(0.1, 0.005 * (now - self._changed))
            self._rate = min(self._ceiling, self._rate * (1 + speed * (now - self._grown)))
        self._grown = now

    def _forget(self, now: float) -> None:
        """Let what was long ago count half."""
        if now - self._since > WINDOW:
            self._given /= 2
            self._throttled /= 2
            self._since = now - (now - self._since) / 2
