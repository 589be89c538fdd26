"""The domain: what an app, a build, a release and a promotion are, and what may happen to them."""
