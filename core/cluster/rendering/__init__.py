"""A release as Kubernetes objects, as a pure function."""
