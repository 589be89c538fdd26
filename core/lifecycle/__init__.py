"""What may happen to a promotion: guards, holds, approvals, and how it moves from phase to phase."""
