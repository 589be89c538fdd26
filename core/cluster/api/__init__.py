"""Requests to the API server: who asks, where each kind is kept, and what a refusal means."""
