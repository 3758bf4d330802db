"""A platform as a person sees it on a terminal."""

from typing import Any

from hub.cli.screen import show_json, show_table


def show_platform(shown: dict[str, Any], *, as_json: bool) -> None:
    """A platform with its parties and endpoints."""
    if as_json:
        show_json(shown)
        return
    certificate = shown["settings"]["client_certificate"]
    tokens = [
        f"{token['direction']} {token['purpose']} of {token['issued_at']}"
        + (f" until {token['expires_at']}" if token["expires_at"] else "")
        + (f", {token['encoding']}" if token["encoding"] else "")
        for token in shown["tokens"]
    ]
    settings = [
        f"{name} {_in_words(value)}"
        for name, value in shown["settings"].items()
        if value and name != "client_certificate"
    ]
    rows = [
        ("id", shown["id"]),
        ("name", shown["name"]),
        ("status", shown["status"]),
        ("version", shown["version"]),
        ("versions URL", shown["versions_url"]),
        ("registered", shown["registered_at"]),
        ("last heard", shown["last_heard_at"]),
        ("approved", roles_in_words(shown["approved_roles"]) or ("any free role" if shown["open_roles"] else None)),
        ("tokens", "; ".join(tokens)),
        ("settings", "; ".join(settings)),
        ("missed broadcasts", ", ".join(f"{row['country_code']}/{row['party_id']}" for row in shown["behind"])),
        ("client certificate", certificate and f"{certificate['subject']} until {certificate['expires_at']}"),
    ]
    show_table(("", ""), [row for row in rows if row[1]])
    if shown["roles"]:
        names = ("role", "country_code", "party_id", "name", "status")
        parties = [tuple(role[name] for name in names) for role in shown["roles"]]
        show_table(("ROLE", "COUNTRY", "PARTY", "NAME", "STATUS"), parties, title="\nParties")
    if shown["endpoints"]:
        endpoints = [
            (row["module"], row["interface"], row["override"] or row["url"], "override" if row["override"] else "")
            for row in shown["endpoints"]
        ]
        show_table(("MODULE", "INTERFACE", "URL", ""), endpoints, title="\nEndpoints")


def roles_in_words(roles: list[dict[str, Any]]) -> str:
    """`CPO:NL:ABC, EMSP:NL:DEF`."""
    return ", ".join(f"{role['role']}:{role['country_code']}:{role['party_id']}" for role in roles)


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={inner}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "yes" if value is True else str(value)
