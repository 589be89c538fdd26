"""Builds that the cluster makes, and their logs: one aggregate of the records."""
