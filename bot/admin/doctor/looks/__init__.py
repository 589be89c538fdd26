"""The looks that doctor takes: thin, and nothing is changed by them."""
