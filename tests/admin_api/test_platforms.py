"""The calls about platforms: what each answers when it works, and when it does not."""

import asyncio
import datetime as dt

import trustme

from hub.app import RunningHub
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import SandboxPlatform
from tests.admin_api.conftest import Operator, as_body


async def test_inviting(admin: Operator, hub: RunningHub) -> None:
    reply = await admin.post(
        "/platforms", {"name": "Charge", "roles": [{**as_body("CPO:NL:CPA"), "name": "Charge Netherlands"}]}
    )

    assert reply.status == 201
    assert reply.body["status"] == "PLANNED"
    assert reply.body["versions_url"] == f"{hub.url}/ocpi/versions"
    shown = (await admin.get(f"/platforms/{reply.body['id']}")).body
    role = {"role": "CPO", "country_code": "NL", "party_id": "CPA", "name": "Charge Netherlands"}
    assert shown["approved_roles"] == [role]
    assert shown["roles"] == [{**role, "status": "PLANNED"}]
    assert (shown["open_roles"], shown["version"], shown["endpoints"]) == (False, None, [])
    assert [(token["direction"], token["purpose"]) for token in shown["tokens"]] == [("inbound", "REGISTRATION")]


async def test_inviting_for_a_role_of_somebody_else(admin: Operator) -> None:
    other = await admin.invite("Charge", "CPO:NL:CPA")

    reply = await admin.post("/platforms", {"name": "Other", "roles": [as_body("EMSP:NL:EMA"), as_body("CPO:NL:CPA")]})

    assert (reply.status, reply.pointers) == (409, ["/roles/1"])
    assert other["id"] in reply.body["title"]
    own = await admin.post("/platforms", {"name": "Other", "roles": [as_body("CPO:NL:HUB")]})
    assert own.status == 409
    assert "hub itself" in own.body["title"]


async def test_a_registered_platform_is_shown_whole(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)

    shown = (await admin.get(f"/platforms/{platform_id}")).body

    assert (shown["status"], shown["version"], shown["offline"]) == ("CONNECTED", "2.2.1", False)
    assert shown["last_heard_at"] >= shown["created_at"]
    assert shown["versions_url"] == cpo.versions_url
    assert [(role["country_code"], role["party_id"], role["status"]) for role in shown["roles"]] == [
        ("NL", "CPA", "CONNECTED"),
        ("BE", "CPB", "CONNECTED"),
    ]
    assert shown["roles"][0]["name"] == "Charge NL/CPA"
    locations = next(row for row in shown["endpoints"] if row["module"] == "locations")
    assert locations == {
        "module": "locations",
        "interface": "SENDER",
        "url": cpo.url(names.LOCATIONS, Interface.SENDER),
        "override": None,
    }
    facts = [(token["direction"], token["purpose"], token["encoding"]) for token in shown["tokens"]]
    assert facts == [("inbound", "CREDENTIALS", None), ("outbound", "CREDENTIALS", "base64")]
    row = (await admin.get("/platforms")).body["items"][0]
    assert {name: shown[name] for name in row} == row


async def test_a_platform_that_is_away_is_shown_offline(admin: Operator, hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    hub.liveness.offline.add(platform_id)

    shown = (await admin.get(f"/platforms/{platform_id}")).body

    assert (shown["status"], shown["offline"]) == ("OFFLINE", True)
    assert {role["status"] for role in shown["roles"]} == {"OFFLINE"}
    assert {row["status"] for row in (await admin.get("/parties")).body["items"]} == {"OFFLINE"}


async def test_a_platform_that_is_not_there(admin: Operator) -> None:
    steps = ("approve", "connect", "invite", "suspend", "resume", "rotate", "resync", "selftest")
    bodies = {
        "approve": {"roles": [as_body("CPO:NL:CPA")]},
        "connect": {"versions_url": "http://127.0.0.1:1/", "registration_token": "token"},
    }
    replies = [await admin.post(f"/platforms/nobody/{step}", bodies.get(step)) for step in steps]
    replies += [await admin.call(method, "/platforms/nobody") for method in ("GET", "DELETE")]
    replies.append(await admin.call("PATCH", "/platforms/nobody", {"name": "New"}))

    assert [reply.status for reply in replies] == [404] * 11


async def test_connecting(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = (await admin.invite())["id"]
    body = {"versions_url": cpo.versions_url, "registration_token": cpo.issue_token()}

    reply = await admin.post(f"/platforms/{platform_id}/connect", body)

    assert (reply.status, reply.body["status"]) == (200, "CONNECTED")
    again = await admin.post(f"/platforms/{platform_id}/connect", body)
    assert again.status == 409


async def test_connecting_fails_at_a_step(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = (await admin.invite())["id"]
    body = {"versions_url": cpo.versions_url, "registration_token": cpo.issue_token()}
    refused = cpo.faults.on(names.CREDENTIALS, method="POST").answer(500)

    reply = await admin.post(f"/platforms/{platform_id}/connect", body)

    assert reply.status == 502
    assert "POST credentials" in reply.body["title"]
    assert "HTTP 500" in reply.body["detail"]
    cpo.faults.remove(refused)
    assert (await admin.post(f"/platforms/{platform_id}/connect", body)).status == 200


async def test_connecting_to_where_the_hub_may_not_go(admin: Operator) -> None:
    platform_id = (await admin.invite())["id"]
    body = {"versions_url": "http://192.168.1.1/versions", "registration_token": "token"}

    reply = await admin.post(f"/platforms/{platform_id}/connect", body)

    assert (reply.status, reply.pointers) == (422, ["/versions_url"])


async def test_two_handshakes_at_once(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = (await admin.invite())["id"]
    body = {"versions_url": cpo.versions_url, "registration_token": cpo.issue_token()}
    held = cpo.faults.on(names.VERSIONS, times=1).hang()
    first = asyncio.create_task(admin.post(f"/platforms/{platform_id}/connect", body))
    await cpo.wait_for(names.VERSIONS)

    second = await admin.post(f"/platforms/{platform_id}/connect", body)
    held.release()

    assert second.status == 409
    assert (await first).status == 200


async def test_approving_lets_a_platform_claim_more(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo, "CPO:NL:CPA", "CPO:BE:CPB")

    reply = await admin.post(f"/platforms/{platform_id}/approve", {"roles": [as_body("CPO:FR:CPC")]})

    assert reply.status == 200
    assert [(role["party_id"], role["status"]) for role in reply.body["roles"]] == [
        ("CPA", "CONNECTED"),
        ("CPB", "CONNECTED"),
        ("CPC", "PLANNED"),
    ]
    claimed = await cpo.update(roles=[*cpo.roles, (cpo.roles[0][0], "FR", "CPC")])
    assert claimed.ok, claimed.problem
    shown = (await admin.get(f"/platforms/{platform_id}")).body
    assert {role["status"] for role in shown["roles"]} == {"CONNECTED"}


async def test_approving_nothing_or_what_is_taken(admin: Operator) -> None:
    platform_id = (await admin.invite("Charge"))["id"]
    await admin.invite("Other", "CPO:NL:CPA")

    assert (await admin.post(f"/platforms/{platform_id}/approve", {"roles": []})).pointers == ["/roles"]
    taken = await admin.post(f"/platforms/{platform_id}/approve", {"roles": [as_body("CPO:NL:CPA")]})
    assert (taken.status, taken.pointers) == (409, ["/roles/0"])


async def test_inviting_again(admin: Operator, cpo: SandboxPlatform) -> None:
    first = await admin.invite()

    second = (await admin.post(f"/platforms/{first['id']}/invite")).body

    assert (second["id"], second["name"]) == (first["id"], first["name"])
    unused = await cpo.register(first["versions_url"], first["registration_token"])
    assert unused.status == 401
    assert (await cpo.register(second["versions_url"], second["registration_token"])).ok


async def test_suspending_and_resuming(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)

    suspended = await admin.post(f"/platforms/{platform_id}/suspend")
    resumed = await admin.post(f"/platforms/{platform_id}/resume")

    assert (suspended.body["status"], suspended.body["suspended"]) == ("SUSPENDED", True)
    assert {role["status"] for role in suspended.body["roles"]} == {"SUSPENDED"}
    assert (resumed.body["status"], resumed.body["suspended"]) == ("CONNECTED", False)
    assert (await cpo.unregister()).ok
    assert (await admin.post(f"/platforms/{platform_id}/resume")).status == 409


async def test_rotating(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)

    reply = await admin.post(f"/platforms/{platform_id}/rotate")

    assert reply.status == 200
    # The former token stays for a grace, until the new one is used for the first time.
    assert [token["expires_at"] is None for token in reply.body["tokens"]] == [False, True, True]
    await cpo.go_dark()
    assert (await admin.post(f"/platforms/{platform_id}/rotate")).status == 502


async def test_rotating_what_is_not_registered(admin: Operator) -> None:
    platform_id = (await admin.invite())["id"]

    assert (await admin.post(f"/platforms/{platform_id}/rotate")).status == 409


async def test_settings(admin: Operator) -> None:
    platform_id = (await admin.invite())["id"]
    issued = trustme.CA().issue_cert("hub.example.com")
    certificate = "".join(part.bytes().decode() for part in issued.cert_chain_pems)
    key = issued.private_key_pem.bytes().decode()

    reply = await admin.call(
        "PATCH",
        f"/platforms/{platform_id}",
        {
            "name": "Renamed",
            "token_encoding": "plain",
            "endpoint_overrides": {"locations/SENDER": "http://127.0.0.1:9/locations"},
            "response_url_hosts": ["callbacks.example.com:8443"],
            "forward_timeout_s": 12.5,
            "authorize_timeout_s": 3,
            "client_certificate": {"certificate_pem": certificate, "key_pem": key},
            "page_limit": 20,
            "broadcast_as_direct": True,
            "pull": {"tariffs": 3600, "locations": 900.5, "tokens": None},
        },
    )

    assert reply.status == 200
    assert reply.body["name"] == "Renamed"
    shown = reply.body["settings"].pop("client_certificate")
    assert reply.body["settings"] == {
        "token_encoding": "plain",
        "endpoint_overrides": {"locations/SENDER": "http://127.0.0.1:9/locations"},
        "response_url_hosts": ["callbacks.example.com:8443"],
        "forward_timeout_s": 12.5,
        "authorize_timeout_s": 3,
        "page_limit": 20,
        "broadcast_as_direct": True,
        "pull": {"locations": 900.5, "tariffs": 3600},
    }
    assert "trustme" in shown["issuer"]
    assert dt.datetime.fromisoformat(shown["expires_at"]).tzinfo is not None
    assert "PRIVATE KEY" not in reply.text
    assert "CERTIFICATE" not in reply.text
    override = {"module": "locations", "interface": "SENDER", "url": None, "override": "http://127.0.0.1:9/locations"}
    assert reply.body["endpoints"] == [override]
    back = {"client_certificate": None, "forward_timeout_s": None, "broadcast_as_direct": None, "pull": None}
    reset = await admin.call("PATCH", f"/platforms/{platform_id}", back)
    assert reset.body["settings"]["client_certificate"] is None
    assert (reset.body["settings"]["broadcast_as_direct"], reset.body["settings"]["pull"]) == (False, {})
    assert reset.body["settings"]["page_limit"] == 20
    assert reset.body["settings"]["forward_timeout_s"] is None
    assert reset.body["settings"]["authorize_timeout_s"] == 3
    assert reset.body["name"] == "Renamed"


async def test_settings_that_cannot_be_used(admin: Operator) -> None:
    platform_id = (await admin.invite())["id"]
    wrong = {
        "/token_encoding": {"token_encoding": "rot13"},
        "/forward_timeout_s": {"forward_timeout_s": 0},
        "/authorize_timeout_s": {"authorize_timeout_s": "soon"},
        "/response_url_hosts/0": {"response_url_hosts": ["http://x"]},
        "/endpoint_overrides/locations~1UP": {"endpoint_overrides": {"locations/UP": "http://127.0.0.1/"}},
        "/endpoint_overrides/cdrs~1SENDER": {"endpoint_overrides": {"cdrs/SENDER": "http://10.0.0.1/"}},
        "/client_certificate": {"client_certificate": {"certificate_pem": "x", "key_pem": "y"}},
        "/client_certificate/key_pem": {"client_certificate": {"certificate_pem": "x"}},
        "/page_limit": {"page_limit": 101},
        "/broadcast_as_direct": {"broadcast_as_direct": "sometimes"},
        "/pull/sessions": {"pull": {"sessions": 900}},
        "/pull/locations": {"pull": {"locations": 59}},
        "/pull/tokens": {"pull": {"tokens": 700_000}},
        "/colour": {"colour": "red"},
    }

    for pointer, body in wrong.items():
        reply = await admin.call("PATCH", f"/platforms/{platform_id}", body)
        assert (reply.status, reply.pointers) == (422, [pointer])

    assert (await admin.call("PATCH", f"/platforms/{platform_id}", {})).status == 200


async def test_removing(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)

    reply = await admin.call("DELETE", f"/platforms/{platform_id}")

    assert (reply.status, reply.body) == (200, {"id": platform_id, "told": True, "detail": None})
    assert cpo.counterpart is None
    assert (await admin.get(f"/platforms/{platform_id}")).status == 404
    assert (await admin.get("/parties")).body["items"] == []
    assert (await admin.call("DELETE", f"/platforms/{platform_id}")).status == 404


async def test_removing_what_does_not_answer(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    await cpo.go_dark()

    reply = await admin.call("DELETE", f"/platforms/{platform_id}")

    assert (reply.status, reply.body["told"]) == (200, False)
    assert reply.body["detail"]
