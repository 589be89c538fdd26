"""Requests carried out: a room for each kind, and one door to all of them."""
