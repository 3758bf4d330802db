"""Decisions: values in, decisions out. No I/O, no asyncio, no clock of its own."""
