"""What is in a pod: its template, its probes, its environment, from the service of a manifest."""
