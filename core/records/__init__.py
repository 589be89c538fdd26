"""Records as values: apps, builds, releases, bundles, and what a rollout saw and remembers."""
