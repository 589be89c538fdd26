"""OpenID Connect tokens of CI jobs: verified with the keys of their issuer, in place of a token that is stored there."""
