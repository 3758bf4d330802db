"""The load manager in a running hub, over real sockets."""
