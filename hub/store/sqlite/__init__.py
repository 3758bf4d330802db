"""The embedded store: one SQLite file, one hub process, every write durable before it is acknowledged."""
