"""Hand-over: a fresh process takes the listening sockets and the tasks, and the old one goes when it has answered."""
