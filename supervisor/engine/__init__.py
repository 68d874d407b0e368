"""The only user of cffi: V8 isolates on threads, as the loop's thread sees them."""
