"""HTTP in: listening sockets, aiohttp's protocol and parser, and what is said when a task cannot answer.

Knows tasks only as `supervisor.pool.exchange.Backend`. The only package that imports aiohttp's server side.
"""
