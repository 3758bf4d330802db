"""The watchdog: a thread that sees when the event loop stands still, and names the plugin whose code holds it, with the
stack.

A beat is sent to the loop; while it is not answered, the loop's stack is looked at. A plugin's frame that is there in
two looks at least `BLOCK_S` apart, and is the very same call, is what holds the loop up. A loop that is merely busy
shows another call at every look.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import CodeType, FrameType
from typing import NamedTuple

BLOCK_S = 0.5
_BEAT_S = 0.1


class Blocked(NamedTuple):
    """A plugin's function that held the loop: for so many seconds when it was named."""

    plugin: str
    function: str
    stack: str
    seconds: float


class Watchdog:
    """`owner` says which plugin a function belongs to; `report` is called in the watchdog's thread, once per block.

    `soon` is the loop's `call_soon_threadsafe`; the loop runs in the thread that makes this object.
    """

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        owner: Callable[[CodeType], str | None],
        report: Callable[[Blocked], None],
    ) -> None:
        self._soon = soon
        self._owner = owner
        self._report = report
        self._loop_thread = threading.get_ident()
        self._answered = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="plugin-watchdog", daemon=True)

    def start(self) -> None:
        """Safe twice."""
        if not self._thread.is_alive() and not self._ended.is_set():
            self._thread.start()

    def stop(self) -> None:
        """Tells the thread to end, which it does within a beat."""
        self._ended.set()
        self._answered.set()

    def _watch(self) -> None:
        while not self._ended.wait(_BEAT_S):
            self._answered.clear()
            try:
                self._soon(self._answered.set)
            except RuntimeError:  # the loop is closed
                return
            if not self._answered.wait(_BEAT_S):
                self._look()

    def _look(self) -> None:
        """The loop does not answer: who holds it?"""
        suspect: FrameType | None = None
        since = 0.0
        while not self._ended.is_set():
            stack = sys._current_frames().get(self._loop_thread)
            found = None if stack is None else self._outermost(stack)
            now = time.monotonic()
            if found is None or found[0] is not suspect:
                suspect, since = (None, now) if found is None else (found[0], now)
            elif stack is not None and now - since >= BLOCK_S:
                text = "".join(traceback.format_stack(stack, limit=12))
                self._report(Blocked(found[1], found[0].f_code.co_name, text, now - since + _BEAT_S))
                del stack, found, suspect
                self._wait()
                return
            del stack, found
            if self._answered.wait(_BEAT_S):
                return

    def _wait(self) -> None:
        while not self._ended.is_set() and not self._answered.wait(_BEAT_S):
            pass

    def _outermost(self, frame: FrameType | None) -> tuple[FrameType, str] | None:
        """The first call on the stack that is in a plugin's file."""
        found = None
        while frame is not None:
            plugin = self._owner(frame.f_code)
            if plugin is not None:
                found = (frame, plugin)
            frame = frame.f_back
        return found
