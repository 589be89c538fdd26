"""What GitHub and GitLab tell of pushes: who has signed it, what it says, and the answer."""
