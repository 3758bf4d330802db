"""The self-test of a registered platform: what OCPI demands of it, asked without side effects, told line by line."""

from hub.broker.selftest.report import Check
from hub.broker.selftest.walk import Selftest

__all__ = ["Check", "Selftest"]
