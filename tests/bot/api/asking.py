"""How the tests ask, and what they ask with."""

import base64

MANIFEST = """\
services:
  web:
    build: .
    port: 3000
  worker:
    build: .
"""
IMAGES = {"web": "registry.example/web@sha256:" + "0" * 64, "worker": "registry.example/worker:1"}
BUILD = {"manifest": MANIFEST, "images": IMAGES}


def basic(token, user="convox"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


def policy_of(verbs, who="token:ci", apps='"*"'):
    """A policy that gives these verbs to one caller and nobody else anything."""
    return f"""\
roles:
  some: [{verbs}]
members:
  - who: ["{who}"]
    roles: [some]
    apps: [{apps}]
"""
