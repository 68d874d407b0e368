"""The settings of a host: defaults, then the file, then the environment, then flags; every problem told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown
from supervisor.spec.names import ALIKE
from supervisor.spec.problems import refusal, safe
from supervisor.spec.refused import Refused
from supervisor.spec.setting import PREFIX, Setting
from supervisor.spec.settings import CLUSTER_PORT, SETTINGS, SETTINGS_FILE, HostSettings
from supervisor.spec.settings_file import read_settings_file

# Variables with our prefix that say something else. What resembles neither is not ours: platforms name variables
# after the programs they start (ISOLATED_SERVICE_HOST), which is no reason not to start.
OTHER_VARIABLES = frozenset(
    f"{PREFIX}{name}"
    for name in ("BINARY", "CONFIG", "DEBIAN_MIRROR", "HANDOVERS", "HANDOVER_FD", "HOST", "RUNTIME_DIR", "TOKEN_FILE")
)
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
MISSPELT = 0.85  # of difflib's measure: one or two letters of a name differ

# What says where and how other hosts are met: with any of them, this one was meant to be one of a cluster. Numbers and
# names alone may stand in a file that hosts of all kinds share.
_MEETING = ("cluster_advertise", "cluster_key_file", "cluster_join", "gossip_listen", "gossip_advertise")
_TLS = ("api_token_file", "api_cert", "api_key")


def load_settings(
    file: str | None = None, environment: Mapping[str, str] | None = None, flags: Mapping[str, str] | None = None
) -> HostSettings:
    """The settings that hold. SettingsError with all problems, each saying where its value stands.

    `file`: as named on the command line, else by ISOLATED_CONFIG; else the usual one, which need not exist.
    `flags`: texts by the name of the setting (`stateDir`) or its attribute (`state_dir`).
    """
    environment = environment or {}
    named = file or environment.get(CONFIG_VARIABLE) or None
    path = named or SETTINGS_FILE
    document = read_settings_file(path, must_exist=named is not None)
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for place, found in (
        (path, _from_file(document, problems, path)),
        (None, _from_environment(environment, problems)),
        (None, _from_flags(flags or {}, problems)),
    ):
        for setting, field, raw, is_text in found:
            try:
                values[setting.attribute] = setting.parse_text(raw) if is_text else setting.parse(raw)
            except Refused as refused:
                problems.append(replace(refusal(refused, field, raw), file=place))
    settings = HostSettings(**values)
    problems += _clashes(settings)
    if problems:
        raise SettingsError(problems)
    return settings


type _Found = Iterator[
    tuple[Setting, str, Any, bool]
]  # what, its name where it stands, the value, whether it is a text


def _from_file(document: Mapping[str, Any], problems: list[Problem], path: str) -> _Found:
    known = {setting.name: setting for setting in SETTINGS}
    for name, value in document.items():
        if name in known:
            yield known[name], name, value, False
        else:
            problems.append(replace(_unknown(name, value, list(known), ALIKE), file=path))


def _from_environment(environment: Mapping[str, str], problems: list[Problem]) -> _Found:
    known = {setting.env: setting for setting in SETTINGS}
    for name, value in environment.items():
        if name in known:
            yield known[name], name, value, True
        elif name.startswith(PREFIX) and name not in OTHER_VARIABLES:
            near = difflib.get_close_matches(name, [*known, *OTHER_VARIABLES], n=1, cutoff=MISSPELT)
            if near:
                problems.append(safe(Problem("no such setting", f"did you mean {near[0]}?", field=name)))


def _from_flags(flags: Mapping[str, str], problems: list[Problem]) -> _Found:
    known = {name: setting for setting in SETTINGS for name in (setting.attribute, setting.name)}
    for name, value in flags.items():
        if name in known:
            yield known[name], known[name].flag, value, True
        else:
            problems.append(_unknown(name, value, [setting.name for setting in SETTINGS], ALIKE))


def _unknown(name: str, value: object, known: list[str], alike: float) -> Problem:
    plain = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower().replace("_", "").replace("-", ""), plain, n=1, cutoff=alike)
    remedy = f"did you mean {plain[near[0]]}?" if near else "take it out; `isolated settings` lists all there are"
    allowed = ", ".join(setting.name for setting in SETTINGS if not setting.declared.hidden)
    return safe(Problem("no such setting", remedy, allowed=allowed, field=name, value=shown(value)))


def _clashes(settings: HostSettings) -> Iterator[Problem]:
    """Settings that do not go together."""
    names = {setting.attribute: setting.name for setting in SETTINGS}
    missing = [names[attribute] for attribute in _TLS if getattr(settings, attribute) is None]
    if settings.api_listen is not None and missing:
        message = f"the control API is served on the network with TLS and a token only, and {_and(missing)} not set"
        yield Problem(message, f"set {', '.join(missing)}", field="apiListen", value=str(settings.api_listen))
    yield from _cluster_clashes(settings)
    if settings.bundle_unpacked < settings.bundle_size:
        message = "less than bundleSize, so that a bundle of that size could never be unpacked"
        remedy = "write at least as much as bundleSize"
        tell = next(setting.tell for setting in SETTINGS if setting.attribute == "bundle_unpacked")
        yield Problem(message, remedy, field="bundleUnpacked", value=tell(settings.bundle_unpacked))


def _cluster_clashes(settings: HostSettings) -> Iterator[Problem]:
    where = settings.cluster_listen
    if where is None:
        yield from _of_no_cluster(settings)
        return
    if settings.cluster_key_file is None:
        remedy = "`isolated cluster-key > FILE` makes one; all hosts have the same. Then set clusterKeyFile"
        message = "other hosts are let in by a key only, and clusterKeyFile is not set"
        yield Problem(message, remedy, field="clusterListen", value=str(where))
    told = settings.cluster_advertise or where
    if told.host in ("0.0.0.0", "::"):
        remedy = "set clusterAdvertise to the address at which they reach this host"
        yield Problem("no address that others could call", remedy, field="clusterListen", value=str(where))
    if told.port == 0:
        remedy = "write a port; every host of the cluster may use the same"
        yield Problem("others have to know the port", remedy, field="clusterListen", value=str(where))


def _of_no_cluster(settings: HostSettings) -> Iterator[Problem]:
    for setting in SETTINGS:
        value = getattr(settings, setting.attribute)
        if setting.attribute in _MEETING and value != setting.default:
            remedy = (
                f"set clusterListen to the address at which other hosts reach this one, for example "
                f"'10.0.0.7:{CLUSTER_PORT}', or take {setting.name} out"
            )
            message = "it is set, but clusterListen is not: this host would be one of no cluster"
            yield safe(Problem(message, remedy, field=setting.name, value=setting.tell(value)))


def _and(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last} are" if most else f"{last} is"
