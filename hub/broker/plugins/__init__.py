"""Plugins at work in the hub: what they see of messages, what becomes of their verdicts, and what the hub does for
them.
"""
