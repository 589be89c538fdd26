"""Promotions and everything that belongs to one: its intent, steps, decisions, lines and removals."""
