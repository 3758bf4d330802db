"""An OCPI roaming hub. The package itself holds its version and nothing else; start reading at `hub.app`."""

__version__ = "0.1.0"
