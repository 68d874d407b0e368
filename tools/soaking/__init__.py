"""A daemon under mixed work for a long time: nothing of it may grow. tools/soak starts it."""
