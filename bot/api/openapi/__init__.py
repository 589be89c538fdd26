"""`GET /openapi.json`: what the API can be asked, for whoever writes a client or tries every door."""
