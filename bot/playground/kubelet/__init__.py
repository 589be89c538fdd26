"""A simulated kubelet for a real control plane: without it no pod would ever run there."""
