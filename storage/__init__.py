"""SQLite: where records, promotions, the inbox, the outbox and the audit outlive the process."""
