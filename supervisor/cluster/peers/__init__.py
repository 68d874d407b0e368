"""How a host asks another: calls over TLS with a key that both have, and the bundles that travel by them."""
