"""Wires: requests to platforms, the guard of the addresses they go to, TLS.

The broker reaches the network only through here.
"""
