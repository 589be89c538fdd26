"""Driving one started promotion to its end: start, apply, watch, go back, prune, and resume after a crash."""
