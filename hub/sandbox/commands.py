"""The RECEIVER endpoint of commands: a verdict at once, the result of the charge point later (R-117)."""

from collections.abc import Mapping

from hub.ocpi.status import StatusCode
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply
from hub.sandbox.results import Results

ACCEPTED = "ACCEPTED"


class Commands:
    """A CPO's command desk. `responses` and `results_of` hold for one command type, the others for the rest."""

    def __init__(self, replies: Replies, results: Results) -> None:
        self.response = ACCEPTED
        self.timeout_s = 30
        self.result: Mapping[str, object] = {"result": ACCEPTED}
        self.responses: dict[str, str] = {}
        self.results_of: dict[str, Mapping[str, object]] = {}
        self._replies = replies
        self._results = results

    def serve(self, received: Received) -> Reply:
        """POST `{command}`. Only an ACCEPTED command owes a result."""
        if received.response_url is None:
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, "response_url is missing")
        command = received.segments[0]
        response = self.responses.get(command, self.response)
        if response == ACCEPTED:
            self._results.owe(received, self.results_of.get(command, self.result))
        return self._replies.ok({"result": response, "timeout": self.timeout_s})
