"""What the host says about itself and its tasks: logs, events, tails, metrics, and what systemd hears."""
