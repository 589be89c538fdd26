"""`convox.yml`: its keys, their forms and defaults, and what is wrong with them."""
