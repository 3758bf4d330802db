"""What operators call about capacity providers: routes below `/admin/v1/capacity-providers`."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from hub.ocpi import codec
from hub.plugin import HttpRequest, HttpResponse, Route, problem
from plugins.load_manager.oscp.access import NotDelivered
from plugins.load_manager.oscp.book import UnknownProvider
from plugins.load_manager.oscp.capacity_providers import CapacityProviders, Invitation
from plugins.load_manager.oscp.port import Refused
from plugins.load_manager.oscp.profile import Auth, Profile
from plugins.load_manager.oscp.provider import Kind

ROOT = "/capacity-providers"
_ONE = ROOT + "/{id}"

Serve = Callable[[HttpRequest], Awaitable[HttpResponse]]


class NewProvider(BaseModel):
    """Whom an operator wants to know. With `version_url` the hub goes to the provider, else the provider comes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(min_length=1, max_length=255)]
    kind: Kind = Kind.OSCP
    version_url: Annotated[str, Field(max_length=255)] | None = None
    token: SecretStr | None = None
    profile: Profile = Profile()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.kind is Kind.NATIVE:
            if self.model_fields_set - {"name", "kind"}:
                raise ValueError("a native provider has a name and nothing else")
        elif self.version_url is None:
            if self.token is not None:
                raise ValueError("token goes with version_url")
            if not self.profile.registers:
                raise ValueError("a provider that does not register needs a version_url")
        elif self.token is None and (self.profile.registers or self.profile.auth is Auth.TOKEN):
            raise ValueError("version_url goes with the token that the provider gave")
        return self


class AdminRoutes:
    """Serves them. What is wrong is told as `application/problem+json`; 502 when the provider did not take part."""

    def __init__(self, providers: CapacityProviders) -> None:
        self._providers = providers

    def routes(self) -> Iterable[Route]:
        yield self._route("POST", ROOT, self._create, "Makes a DSO known; the answer has its token.")
        yield self._route("GET", ROOT, self._list, "Every DSO, with its state and heartbeats.")
        yield self._route("GET", _ONE, self._get, "One DSO, with its state and heartbeats.")
        yield self._route("DELETE", _ONE, self._remove, "Takes leave of a DSO and forgets it.")
        yield self._route("POST", f"{_ONE}/invite", self._invite, "A new registration token for a DSO.")
        yield self._route("POST", f"{_ONE}/rotate", self._rotate, "Gives a DSO another token to present.")
        yield self._route("POST", f"{_ONE}/test-signal", self._test_signal, "A heartbeat, to try the wire.")

    def _route(self, method: str, path: str, serve: Serve, summary: str) -> Route:
        async def served(request: HttpRequest) -> HttpResponse:
            try:
                return await serve(request)
            except UnknownProvider as unknown:
                return problem(404, str(unknown))
            except NotDelivered as failed:
                return problem(502, f"The capacity provider did not take part: {failed}")
            except Refused as refused:
                return problem(400, refused.message)

        return Route(method, path, served, summary=summary)

    async def _create(self, request: HttpRequest) -> HttpResponse:
        try:
            asked = NewProvider.model_validate(request.json())
        except ValidationError as wrong:
            first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            return problem(400, f"{place}: {first['msg'].removeprefix('Value error, ')}")
        if asked.kind is Kind.NATIVE:
            made = await self._providers.create_native(asked.name)
            return HttpResponse(201, {"id": made.id, "token": made.registration_token})
        if asked.version_url is None:
            return _invitation(await self._providers.create(asked.name, asked.profile))
        token = None if asked.token is None else asked.token.get_secret_value()
        return _invitation(await self._providers.connect(asked.name, asked.version_url, token, asked.profile))

    async def _list(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(body={"items": codec.to_plain(self._providers.every())})

    async def _get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=codec.to_plain(await self._providers.get(request.params["id"])))

    async def _remove(self, request: HttpRequest) -> HttpResponse:
        await self._providers.remove(request.params["id"])
        return HttpResponse(204)

    async def _invite(self, request: HttpRequest) -> HttpResponse:
        return _invitation(await self._providers.invite(request.params["id"]))

    async def _rotate(self, request: HttpRequest) -> HttpResponse:
        await self._providers.rotate(request.params["id"])
        return HttpResponse(204)

    async def _test_signal(self, request: HttpRequest) -> HttpResponse:
        await self._providers.test_signal(request.params["id"])
        return HttpResponse(204)


def _invitation(made: Invitation) -> HttpResponse:
    return HttpResponse(201, {"id": made.id, "registration_token": made.registration_token, "base_url": made.base_url})
