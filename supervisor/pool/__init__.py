"""Tasks and the isolates that run them."""
