"""What somebody outside the repository would write."""
