"""What may happen to a promotion, decided from records alone."""
