"""Requests to the API server: who asks, where each kind is kept, and what a refusal means."""

from core.cluster.api.library import install

# Before any module of this package imports from the library.
install()
