"""The demo: simulated platforms that register at a hub and send every kind of message through it, told step by step."""

from hub.sandbox.demo.cast import Cast
from hub.sandbox.demo.hub import Hub, NotInvited, Registered
from hub.sandbox.demo.screen import Screen
from hub.sandbox.demo.staying import invite, stay
from hub.sandbox.demo.telling import tell

__all__ = ["Cast", "Hub", "NotInvited", "Registered", "Screen", "invite", "stay", "tell"]
