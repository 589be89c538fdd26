"""Fixtures that every folder may use."""

pytest_plugins = ["tests.controlplane.fixtures"]
