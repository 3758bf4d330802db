"""Refusals as `application/problem+json`: a title a person can act on, the field, and every mistake there is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from hub.plugin import Audience, HttpRequest, HttpResponse, Route, problem
from plugins.load_manager.doors.asking import NotFound, NotUsable
from plugins.load_manager.doors.port import NobodyToAsk, NotAsked, NotThisNode, UnknownGroup
from plugins.load_manager.grid.group import MOST_PROBLEMS, GridRefused, Problem
from plugins.load_manager.knowledge.cpo_settings import Refused
from plugins.load_manager.signals.judging import Refusal, SignalRefused, Why

Serve = Callable[[HttpRequest], Awaitable[HttpResponse]]

_STATUS: Mapping[Why, int] = {Why.WRONG: 400, Why.NOT_YOURS: 403, Why.UNKNOWN_GROUP: 404}


def route(
    method: str,
    path: str,
    serve: Serve,
    summary: str,
    *,
    audience: Audience = Audience.ADMIN,
    max_body: int = 1024 * 1024,
) -> Route:
    """A route that tells what is wrong. `max_body` in bytes."""

    async def served(request: HttpRequest) -> HttpResponse:
        try:
            return await serve(request)
        except NotUsable as wrong:
            return problem(400, str(wrong), field=wrong.field)
        except Refused as wrong:
            first_word = str(wrong).partition(" ")[0]
            return problem(400, str(wrong), field="body" if first_word == "the" else first_word)
        except NotFound as missing:
            return problem(404, str(missing))
        except UnknownGroup as unknown:
            return problem(404, str(unknown), field="group_id")
        except SignalRefused as refused:
            return _of_signal(refused.refusals, _STATUS[refused.why])
        except GridRefused as refused:
            # Nothing is wrong with a request to remove a group; what hangs on it is in the way.
            return _of_grid(refused.problems, 409 if request.method == "DELETE" else 400)
        except NobodyToAsk as nobody:
            return problem(409, str(nobody), field="group_id")
        except NotAsked as failed:
            return problem(502, str(failed))
        except NotThisNode as elsewhere:
            return problem(503, str(elsewhere))

    return Route(method, path, served, audience, summary, max_body)


def _of_signal(refusals: Sequence[Refusal], status: int) -> HttpResponse:
    errors = [{"field": each.field, "problem": each.text} for each in refusals[:MOST_PROBLEMS]]
    return problem(status, _title(refusals), field=refusals[0].field, errors=errors)


def _of_grid(problems: Sequence[Problem], status: int) -> HttpResponse:
    errors = [
        {"group_id": each.group_id or None, "place": each.place or None, "problem": each.text} for each in problems
    ]
    return problem(status, _title(problems), errors=errors)


def _title(mistakes: Sequence[object]) -> str:
    further = len(mistakes) - 1
    return f"{mistakes[0]}" + (f" (and {further} more)" if further else "")
