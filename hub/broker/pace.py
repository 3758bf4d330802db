"""How many legs of broadcasts may be under way: as many as the event loop bears without making others wait.

Rules
- A timer that fires later than `target_s` after its time shrinks the window by a third, any other lets it grow by one.
- The window stays between `least` and `most`. Receivers that answer slowly keep the loop idle, so the window grows and
  many of them are waited for at once; receivers that answer at once keep it busy, and few legs are enough.
"""


class Pace:
    """The window, and what it learns from."""

    def __init__(self, *, least: int = 4, most: int = 256, start: int = 16, target_s: float = 0.004) -> None:
        self._least = least
        self._most = most
        self._target_s = target_s
        self._window = float(start)

    @property
    def window(self) -> int:
        """Legs that may be under way now."""
        return int(self._window)

    def observe(self, late_s: float) -> None:
        """A timer fired this many seconds after its time."""
        if late_s > self._target_s:
            self._window = max(float(self._least), self._window * 2 / 3)
        else:
            self._window = min(float(self._most), self._window + 1)
