"""What people ask for, each in one transaction with its audit row; rights are checked here."""
