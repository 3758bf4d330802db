"""The MongoDB store: one document per record, majority writes, one file that knows the driver."""
