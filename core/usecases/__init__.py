"""What people ask for: each use case takes the caller first, and asks for the right before anything else."""
