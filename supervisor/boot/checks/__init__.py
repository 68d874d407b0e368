"""`isolated boot-server check`: the usual mistakes, each found by trying, and what to do about it."""
