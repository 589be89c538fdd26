"""Who may do what, who must approve, and how patient a rollout is."""
