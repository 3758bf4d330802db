"""Simulated OCPI 2.2.1 platforms on real sockets, with visible memory and scripted faults."""

from hub.sandbox.answer import Answer, Crawl
from hub.sandbox.endpoints import EVERYTHING, ServedEndpoint
from hub.sandbox.habits import CdrLocation, Habits, LinkStyle, Listing, RoutingAnswer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received
from hub.sandbox.registration import Handshake
from hub.sandbox.reply import Reply
from hub.sandbox.results import ResultMode

__all__ = [
    "EVERYTHING",
    "Answer",
    "CdrLocation",
    "Crawl",
    "Habits",
    "Handshake",
    "LinkStyle",
    "Listing",
    "Received",
    "Reply",
    "ResultMode",
    "RoutingAnswer",
    "SandboxPlatform",
    "ServedEndpoint",
]
