"""What the hub remembers: ports, records, the vault, and their two implementations (SQLite and MongoDB)."""
