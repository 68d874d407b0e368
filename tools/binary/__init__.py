"""From the runtime tree to one file: what goes in, how it is packed, and the launcher in front of it."""
