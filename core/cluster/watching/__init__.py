"""What a namespace says while it changes: watches, lines, readiness."""
