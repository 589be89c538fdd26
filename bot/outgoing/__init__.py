"""What others than Slack are told: webhooks, Kubernetes Events, GitHub deployments; none of it can hold up a rollout."""
