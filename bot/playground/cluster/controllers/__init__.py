"""The parts of a control plane that make objects come true, each with its decisions as pure functions."""
