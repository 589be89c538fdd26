"""How the parts of the bot meet: which adapter serves which port."""
