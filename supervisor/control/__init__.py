"""The control API: HTTP and JSON for operators and programs, described by an OpenAPI document."""
