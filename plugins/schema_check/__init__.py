"""Says what is wrong with the objects that pass through the hub, after they have passed."""
