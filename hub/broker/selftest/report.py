"""The report of a self-test: its lines, and the judgements that several of them share."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.broker.selftest.calls import Answered, NoAnswer, Reply
from hub.ocpi import configuration, headers
from hub.ocpi.status import is_success

MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `ok` is None when the check could not be made; `detail` then says why."""

    name: str
    ok: bool | None
    detail: str


class Report:
    """Collects lines in the order of the walk."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def note(self, name: str, ok: bool | None, detail: str) -> None:
        self.checks.append(Check(name, ok, detail))

    def skipped(self, detail: str, *names: str) -> None:
        """Checks that cannot be made."""
        for name in names:
            self.note(name, None, detail)

    def none_of(self, name: str, wrong: Sequence[str], detail: str) -> None:
        """Fine, in the words of `detail`, when nothing is wrong; else what is, shortened."""
        shown = "; ".join(wrong[:MOST_SHOWN])
        more = f" and {len(wrong) - MOST_SHOWN} more" if len(wrong) > MOST_SHOWN else ""
        self.note(name, not wrong, f"{shown}{more}" or detail)

    def unanswered(self, name: str, reply: NoAnswer) -> None:
        self.note(name, False if reply.tried else None, reply.why)

    def answered(self, name: str, reply: Reply) -> object:
        """Whether it is a successful OCPI answer; its `data`, or None without one."""
        if isinstance(reply, NoAnswer):
            self.unanswered(name, reply)
            return None
        answer = reply.answer
        envelope = configuration.data_of(answer.body)
        if not 200 <= answer.status < 300:
            self.note(name, False, f"HTTP {answer.status}")
        elif envelope is None:
            self.note(name, False, "the answer is not an OCPI response")
        elif not is_success(envelope[0]):
            self.note(name, False, f"status code {envelope[0]}")
        else:
            self.note(name, True, f"HTTP {answer.status}, status code {envelope[0]}")
            return envelope[1]
        return None

    def ids_echoed(self, name: str, reply: Answered) -> None:
        """X-Request-ID and X-Correlation-ID come back as they were sent (R-047)."""
        found = reply.answer.headers
        sent = {headers.REQUEST_ID: reply.request_id, headers.CORRELATION_ID: reply.correlation_id}
        wrong = [
            f"{header} does not come back" if header.lower() not in found else f"{header} comes back changed"
            for header, value in sent.items()
            if found.get(header.lower()) != value
        ]
        self.none_of(name, wrong, "both come back")
