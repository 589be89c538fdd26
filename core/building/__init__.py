"""What drives a build: its turn, its Job, its log, its release, and what is cleared up afterwards."""
