"""YAML with line numbers, so that a mistake in a file is told with its place."""
