"""The hosts together: who takes new work, where a dead host's work comes back, which host goes home."""
