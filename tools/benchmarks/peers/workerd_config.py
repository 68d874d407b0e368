"""Texts of workerd's configuration files. Modules are named as they lie beside the file."""

from __future__ import annotations

from tools.benchmarks.subject import HOST

COMPATIBILITY_DATE = "2026-01-01"  # any recent one: it selects behaviours, not speed


def single(port: int, module: str) -> str:
    """One isolate behind the port."""
    return _config(port, [_isolate("main", module)])


def loader(port: int, module: str) -> str:
    """One isolate behind the port, which may make others by its binding LOADER."""
    return _config(port, [_isolate("main", module, ['(name = "LOADER", workerLoader = ())'])])


def many(port: int, router: str, module: str, count: int) -> str:
    """`count` isolates of the same program, bound as isolate0, isolate1, ... to a router behind the port."""
    names = [f"isolate{number}" for number in range(count)]
    bindings = [f'(name = "{name}", service = "{name}")' for name in names]
    return _config(port, [_isolate("main", router, bindings), *(_isolate(name, module) for name in names)])


def tenants(ports: dict[str, int], module: str, loader_module: str, v8_flags: list[str]) -> str:
    """Isolates of the same program behind ports of their own; the one called "fresh" makes others."""
    parts = [_isolate(name, module) for name in ports if name != "fresh"]
    parts.append(_isolate("fresh", loader_module, ['(name = "LOADER", workerLoader = ())']))
    return _text(parts, [_socket(name, port) for name, port in ports.items()], v8_flags)


def _isolate(name: str, module: str, bindings: list[str] | None = None) -> str:
    parts = [
        f'modules = [(name = "{module}", esModule = embed "{module}")]',
        f'compatibilityDate = "{COMPATIBILITY_DATE}"',
        f"bindings = [{', '.join(bindings or [])}]",
    ]
    return f'(name = "{name}", worker = ({", ".join(parts)}))'


def _config(port: int, parts: list[str]) -> str:
    return _text(parts, [_socket("main", port)], [])


def _socket(service: str, port: int) -> str:
    return f'(name = "{service}", address = "{HOST}:{port}", http = (), service = "{service}")'


def _text(parts: list[str], sockets: list[str], v8_flags: list[str]) -> str:
    between = ",\n    "
    flags = ", ".join(f'"{flag}"' for flag in v8_flags)
    return f"""using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    {between.join(parts)}
  ],
  sockets = [
    {between.join(sockets)}
  ],
  v8Flags = [{flags}],
);
"""
