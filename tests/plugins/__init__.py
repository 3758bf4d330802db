"""The host of plugins at work in a real hub: what they may do, and what they may not do to others."""
