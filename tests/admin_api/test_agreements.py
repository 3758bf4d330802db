"""The calls about agreements: put, seen, ended, and asked about."""

from typing import Any

import aiohttp
import pytest

from hub.app import RunningHub, running
from hub.broker import agreements as operations
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import SandboxPlatform
from hub.settings import Settings
from tests.admin_api.conftest import Operator
from tests.admin_api.test_pages import crawled

ANY = {"country_code": "*"}
CPA = {"country_code": "NL", "party_id": "CPA"}
EMA = {"country_code": "NL", "party_id": "EMA"}


def terms(**changes: Any) -> dict[str, Any]:
    return {"from": EMA, "to": {"role": "CPO"}, "modules": ["locations"], "allow": False} | changes


async def put(admin: Operator, agreement_id: str = "a1", /, **changes: Any) -> None:
    reply = await admin.call("PUT", f"/agreements/{agreement_id}", terms(**changes))
    assert reply.status in (200, 201), reply.text


async def explained(admin: Operator, **changes: Any) -> dict[str, Any]:
    question = {"from": EMA, "to": CPA, "module": "locations", "interface": "SENDER", "method": "GET"} | changes
    reply = await admin.post("/agreements/explain", question)
    assert reply.status == 200, reply.text
    found: dict[str, Any] = reply.body
    return found


async def test_an_agreement_is_new_once(admin: Operator) -> None:
    first = await admin.call("PUT", "/agreements/No-locations.1_a", terms())
    again = await admin.call("PUT", "/agreements/No-locations.1_a", terms(modules=["*"], allow=True))
    found = await admin.get("/agreements/No-locations.1_a")

    assert (first.status, again.status) == (201, 200)
    assert first.body == {
        "id": "No-locations.1_a",
        "from": {"country_code": "NL", "party_id": "EMA", "role": "*"},
        "to": {"country_code": "*", "party_id": "*", "role": "CPO"},
        "modules": ["locations"],
        "allow": False,
        "sentence": "NL/EMA may not turn to any CPO about locations",
    }
    assert again.body["sentence"] == "NL/EMA may turn to any CPO about everything"
    assert found.body == again.body
    assert (await admin.get("/agreements")).body == {"items": [again.body], "next": None}


async def test_what_is_shown_can_be_put_again(admin: Operator) -> None:
    await put(admin, to=ANY, modules=["tokens", "nltnm-tokens", "cdrs"])
    shown = (await admin.get("/agreements/a1")).body

    again = await admin.call(
        "PUT", "/agreements/a2", {name: shown[name] for name in ("from", "to", "modules", "allow")}
    )

    assert again.body == shown | {"id": "a2"}
    assert shown["modules"] == ["cdrs", "nltnm-tokens", "tokens"]
    assert shown["sentence"] == "NL/EMA may not turn to anybody about cdrs, nltnm-tokens, tokens"


async def test_agreements_are_listed_by_id(admin: Operator) -> None:
    for agreement_id in ("c", "a", "e", "b", "d"):
        await put(admin, agreement_id)

    pages = await crawled(admin, "/agreements", 2)

    assert [[row["id"] for row in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]


async def test_an_agreement_ends(admin: Operator) -> None:
    await put(admin)

    ended = await admin.call("DELETE", "/agreements/a1")

    assert (ended.status, ended.body["id"]) == (200, "a1")
    assert [(await admin.call(method, "/agreements/a1")).status for method in ("GET", "DELETE")] == [404, 404]


@pytest.mark.parametrize("side", ["from", "to"])
@pytest.mark.parametrize("nobody", [None, {}, {"country_code": None, "party_id": None}, "left out"])
async def test_an_agreement_that_names_nobody_is_400_with_the_field(admin: Operator, side: str, nobody: object) -> None:
    body = terms(**{side: nobody})
    if nobody == "left out":
        del body[side]

    reply = await admin.call("PUT", "/agreements/a1", body)

    assert (reply.status, reply.pointers) == (400, [f"/{side}"])
    assert reply.body["title"] == f'{side} names nobody: write "*" where you mean any'
    assert (await admin.get("/agreements")).body["items"] == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"from": {"country_code": "NLD"}}, "/from/country_code"),
        ({"from": {"country_code": ""}}, "/from/country_code"),
        ({"to": {"party_id": "ABCD"}}, "/to/party_id"),
        ({"to": {"party_id": ""}}, "/to/party_id"),
        ({"to": {"role": "CEO"}}, "/to/role"),
        ({"to": {"role": "x" * 65}}, "/to/role"),
        ({"to": {"country": "NL"}}, "/to/country"),
        ({"origin": EMA}, "/origin"),
        ({"modules": []}, "/modules"),
        ({"modules": "locations"}, "/modules"),
        ({"modules": ["*", "cdrs"]}, "/modules"),
        ({"modules": ["cdrs", "location"]}, "/modules/1"),
        ({"modules": ["Locations"]}, "/modules/0"),
        ({"modules": ["credentials"]}, "/modules/0"),
        ({"modules": ["hubclientinfo"]}, "/modules/0"),
        ({"modules": ["-tokens"]}, "/modules/0"),
        ({"modules": ["nl tnm-tokens"]}, "/modules/0"),
        ({"modules": ["x" * 65]}, "/modules/0"),
        ({"modules": ["cdrs"] * 101}, "/modules"),
        ({"allow": "yes"}, "/allow"),
        ({"allow": None}, "/allow"),
    ],
)
async def test_what_cannot_be_agreed_is_named(admin: Operator, changes: dict[str, Any], pointer: str) -> None:
    reply = await admin.call("PUT", "/agreements/a1", terms(**changes))

    assert reply.status == 422, reply.text
    assert reply.pointers == [pointer]
    assert (await admin.get("/agreements")).body["items"] == []


@pytest.mark.parametrize("agreement_id", ["x" * 65, "a b", "a%2Fb", "%C3%A9", "a%0A"])
async def test_an_id_that_cannot_be_used(admin: Operator, agreement_id: str) -> None:
    reply = await admin.call("PUT", f"/agreements/{agreement_id}", terms())

    assert reply.status == 422
    assert "id has 1 to 64" in reply.body["title"]


async def test_a_custom_module_that_somebody_offers_may_have_any_name(admin: Operator, cpo: SandboxPlatform) -> None:
    assert (await admin.call("PUT", "/agreements/a1", terms(modules=["bookings"]))).status == 422
    platform_id = await admin.register(cpo)
    overrides = {"endpoint_overrides": {"bookings/RECEIVER": "http://127.0.0.1:9/b"}}
    assert (await admin.call("PATCH", f"/platforms/{platform_id}", overrides)).status == 200

    assert (await admin.call("PUT", "/agreements/a1", terms(modules=["bookings"]))).status == 201


async def test_there_is_a_bound(admin: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_AGREEMENTS", 2)
    await put(admin, "a1")
    await put(admin, "a2")

    too_many = await admin.call("PUT", "/agreements/a3", terms())

    assert too_many.status == 409
    await put(admin, "a2", allow=True)


async def test_an_agreement_counts_at_once_and_after_a_restart(
    settings: Settings, cpo: SandboxPlatform, emsp: SandboxPlatform, hub: RunningHub, admin: Operator
) -> None:
    await admin.register(cpo)
    await admin.register(emsp)

    async def asked() -> int | None:
        answer = await emsp.call("GET", names.LOCATIONS, Interface.SENDER, to="NL/CPA", sender="NL/EMA")
        return answer.status_code

    assert await asked() == 1000
    await put(admin)
    assert await asked() == 4001
    await put(admin, "a2", to=CPA, allow=True)
    assert await asked() == 1000
    assert (await admin.call("DELETE", "/agreements/a2")).status == 200
    assert await asked() == 4001
    assert [one.id for one in await hub.store.agreements.load_all()] == ["a1"]


async def test_agreements_are_there_after_a_restart(settings: Settings) -> None:
    async with running(settings) as hub, aiohttp.ClientSession() as session:
        await put(Operator(hub.url, session), **{"from": {"country_code": "nl"}, "modules": ["*"]})
    async with running(settings) as hub:
        said = [operations.described(one) for one in hub.registry.snapshot.agreements.every]
        assert said == ["nl/* may not turn to any CPO about everything"]


# --- explaining ---


async def test_explaining_a_request_that_passes(admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo_id, emsp_id = await admin.register(cpo), await admin.register(emsp)

    found = await explained(admin)

    assert (found["allowed"], found["rule"], found["from_platform_id"]) == (True, "default", emsp_id)
    assert found["would"] == {
        "mode": "direct",
        "platform_id": cpo_id,
        "platform_name": "Charge",
        "status": "CONNECTED",
        "http": None,
        "status_code": None,
        "message": None,
        "parties": [],
        "party_count": 0,
    }
    assert f"the hub would send it to NL/CPA on platform Charge ({cpo_id})." in found["sentence"]


async def test_explaining_names_the_agreement_that_decides(
    admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    await admin.register(cpo)
    await admin.register(emsp)
    await put(admin)

    found = await explained(admin)

    assert not found["allowed"]
    assert found["rule"] == (await admin.get("/agreements/a1")).body
    assert (found["would"]["mode"], found["would"]["http"], found["would"]["status_code"]) == ("refused", 200, 4001)
    assert "by agreement a1; the hub would answer HTTP 200 with 4001" in found["sentence"]


async def test_explaining_says_who_is_away(
    admin: Operator, hub: RunningHub, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    hub.liveness.offline.add(await admin.register(cpo))
    await admin.register(emsp)

    found = await explained(admin)

    assert (found["allowed"], found["would"]["status"], found["would"]["status_code"]) == (True, "OFFLINE", 4003)


async def test_unknown_parties_are_explained(admin: Operator) -> None:
    nobody = await explained(admin)

    assert (nobody["allowed"], nobody["rule"], nobody["from_platform_id"]) == (True, "default", None)
    assert (nobody["would"]["mode"], nobody["would"]["status"]) == ("refused", None)
    assert "NL/EMA is not a party of any platform here" in nobody["sentence"]


async def test_explaining_what_is_meant_for_everybody(
    admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    await admin.register(cpo)
    await admin.register(emsp)
    push = {"from": CPA, "interface": "RECEIVER", "method": "PUT"}

    broadcast = await explained(admin, to={"country_code": "NL", "party_id": "HUB"}, **push)
    get_all = await explained(admin, to={"country_code": "nl", "party_id": "hub"})
    openly = await explained(admin, to=None, module="commands", interface="RECEIVER", method="POST")

    assert (broadcast["would"]["mode"], broadcast["would"]["parties"]) == ("broadcast", ["NL/EMA"])
    assert (broadcast["allowed"], broadcast["rule"]) == (True, None)
    assert (get_all["would"]["mode"], get_all["would"]["parties"]) == ("get_all", ["BE/CPB", "NL/CPA"])
    assert openly["would"]["mode"] == "open"


async def test_a_role_is_what_a_party_is_looked_at_as(
    admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    await admin.register(cpo)
    await admin.register(emsp)
    await put(admin, **{"from": {"role": "EMSP"}})

    as_it_is = await explained(admin)
    as_another = await explained(admin, **{"from": EMA | {"role": "NSP"}})

    assert (as_it_is["allowed"], as_another["allowed"]) == (False, True)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"from": None}, "/from"),
        ({"from": {}}, "/from/country_code"),
        ({"from": {"country_code": "*", "party_id": "CPA"}}, "/from/country_code"),
        ({"to": {"country_code": "NL"}}, "/to/party_id"),
        ({"interface": "BOTH"}, "/interface"),
        ({"method": "HEAD"}, "/method"),
        ({"module": ""}, "/module"),
    ],
)
async def test_a_question_that_cannot_be_asked(admin: Operator, changes: dict[str, Any], pointer: str) -> None:
    question = {"from": EMA, "to": CPA, "module": "locations", "interface": "SENDER", "method": "GET"} | changes
    reply = await admin.post("/agreements/explain", question)

    assert reply.status == 422
    assert reply.pointers[0] == pointer


async def test_while_the_store_is_away_agreements_are_read_and_not_changed(admin: Operator, hub: RunningHub) -> None:
    await put(admin)
    await hub.store.close()

    changes = [await admin.call("PUT", "/agreements/a2", terms()), await admin.call("DELETE", "/agreements/a1")]

    assert [reply.status for reply in changes] == [503, 503]
    assert (await admin.get("/agreements/a1")).status == 200
    assert not (await explained(admin))["allowed"]
