"""The grid-aware load manager: keeps charging sessions under the limits that DSOs set, by charging profiles."""

from plugins.load_manager.plugin import LoadManager

__all__ = ["LoadManager"]
