"""Kubernetes: what is sent to it, what it does, and what that means."""
