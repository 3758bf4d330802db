"""Errors of the admin API as `application/problem+json`, with a title a person can act on (RFC 9457)."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import ValidationError

from hub.broker.refusal import Refusal, RefusalKind
from hub.ocpi import codec
from hub.web.admin.outputs import ErrorOutput, ProblemOutput
from hub.web.reply import SERVER

CONTENT_TYPE = "application/problem+json"
STATUS = {
    RefusalKind.UNKNOWN: 404,
    RefusalKind.CONFLICT: 409,
    RefusalKind.INVALID: 422,
    RefusalKind.EMPTY: 400,
    RefusalKind.FAILED: 502,
}
MOST_ERRORS = 20


def problem(
    status: int,
    title: str,
    *,
    detail: str | None = None,
    errors: list[ErrorOutput] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The response for one error."""
    content = ProblemOutput(title=title, status=status, detail=detail, errors=errors)
    body = codec.dumps(content.model_dump(mode="json", exclude_none=True))
    fixed = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", "Server": SERVER}
    return web.Response(status=status, body=body, headers={**fixed, **(headers or {})})


def refused(refusal: Refusal) -> web.Response:
    """The response for what the broker would not or could not carry out."""
    errors = None if refusal.pointer is None else [ErrorOutput(pointer=refusal.pointer, message=refusal.title)]
    return problem(STATUS[refusal.kind], refusal.title, detail=refusal.detail, errors=errors)


def unfit(found: ValidationError, *, in_query: bool) -> web.Response:
    """The response for input that does not fit its model. Values are not repeated: they may be secrets."""
    errors = [
        ErrorOutput(pointer=_pointer(error["loc"], in_query=in_query), message=error["msg"])
        for error in found.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = errors[0]
    return problem(422, f"{first.pointer} cannot be used: {first.message}", errors=errors[:MOST_ERRORS])


def _pointer(where: tuple[int | str, ...], *, in_query: bool) -> str:
    if in_query:
        return f"?{where[0]}" if where else "?"
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in where)
