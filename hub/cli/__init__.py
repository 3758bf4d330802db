"""The command line `ocpi-hub`: commands read settings, call the hub or its admin API, print, and decide nothing."""

from hub.cli.root import main

__all__ = ["main"]
