"""What each look means: pure functions of what was seen, so that every sentence can be tested without what it is about."""
