"""Draws pictures, in a process of its own that lives a few seconds: the plotting library is large, and only an extra."""
