"""Plugins that ship with the hub. Each is a folder of its own; the hub finds them and never imports them by name."""
