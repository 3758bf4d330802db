"""Writes down one record per exchange, and shows them to operators."""

from plugins.message_log.plugin import MessageLog

__all__ = ["MessageLog"]
