"""What a task is: pure values, validated. No clock, no randomness, no sockets; only files.py, paths.py read disks."""
