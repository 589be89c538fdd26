"""What an operator does beside a running bot: keys, tokens, the manifest of an app."""
