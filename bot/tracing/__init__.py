"""Promotions as traces of OpenTelemetry: an extra, `pip install 'convox-bot[otel]'`, which nothing imports unless the environment asks for it."""
