"""What outlives a process: tasks, blocks and the files of bundles, on this host's disk."""
