"""What the core needs from outside, one file a service."""
