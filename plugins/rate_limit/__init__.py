"""Bounds how many requests a platform may send a minute, per module."""

from plugins.rate_limit.plugin import RateLimit

__all__ = ["RateLimit"]
