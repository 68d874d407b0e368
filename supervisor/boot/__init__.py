"""What a booting machine is served: addresses and small files by dnsmasq, the rest by our own HTTP.

`settings` says what an operator decides, `rack` which machine gets what, `shelf` which image versions there are,
`site` puts the parts together. `fetching` is the other side: what a booting host asks for before it serves.
"""
