"""Apps, builds, releases and what is kept beside them."""
