"""How plugins are called among platforms."""

_PREFIX = "plugin-"


def platform_of(plugin: str) -> str:
    """The id of the platform that hosts the parties a plugin plays, and that its results come from."""
    return f"{_PREFIX}{plugin}"


def taken_id(plugin: str, handle: str) -> str:
    """The id of the way home of a result that a plugin owes."""
    return f"taken-{plugin}-{handle}"
