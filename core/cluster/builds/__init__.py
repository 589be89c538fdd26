"""Builds as Jobs: what is sent to Kubernetes for one, and what is read back of it."""
