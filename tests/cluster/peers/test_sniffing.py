"""Who listens at the wire sees no spec, no value of an environment, no program and no key."""

from __future__ import annotations

import base64
from pathlib import Path

from supervisor.cluster.peers.calls import PeerCalls
from supervisor.cluster.peers.psk import KeyRing, PeerKey
from supervisor.cluster.peers.wire import Wire
from supervisor.cluster.values import Claim, Revised, Version, Withheld
from tests.cluster.peers.hosts import KEY, PATIENT, member, peer
from tests.cluster.peers.test_downloads import Receiver, stored
from tests.control.asking import on_uvloop
from tests.fakes.door import record_named
from tests.fakes.relay import relay

SECRET = "correct-horse-battery-staple"
LABEL = "the-name-of-a-task"
PROGRAM = "export default {fetch() { return new Response('the source of a program') }}"
SETTINGS = {"taskId": LABEL, "mainPath": "./the-main-module.js", "listen": [], "env": {"THE_PASSWORD": SECRET}}


@on_uvloop
async def test_nothing_of_what_hosts_tell_each_other_can_be_read(folder: Path) -> None:
    record = record_named(LABEL, settings=SETTINGS)
    async with peer(folder) as host, Wire(KeyRing([KEY])) as wire, relay(host.port) as listened:
        to, calls = member("host-1", listened.port), PeerCalls(wire, PATIENT)
        host.door.answers |= {"guard": Withheld(record, 9), "find": record, "revise": Revised(record)}
        digest = stored(host, folder, {"app.js": PROGRAM * 100})
        await calls.admit(to, record)
        assert await calls.guard(to, record) == Withheld(record, 9)
        assert await calls.find(to, LABEL) == record
        await calls.revise(to, record)
        await calls.claim(to, Claim(LABEL, 3, "host-2", None))
        await calls.lease(to, "host-1", {LABEL: Version(1, 1)})
        applied = await wire.ask(to, "PUT", f"/v1/tasks/{LABEL}", SETTINGS, within_s=60.0)
        assert applied.status == 201
        host.host.say(LABEL, SECRET)
        logs = await wire.ask(to, "GET", f"/v1/tasks/{LABEL}/logs", within_s=60.0)
        assert SECRET.encode() in logs.body
        here = Receiver(folder, wire)
        assert await here.downloads.hold(digest, [to]) is None
        seen = listened.everything
    assert len(seen) > 5000
    mine = PeerKey.of(KEY)
    assert mine.identity.encode() in seen  # what may be seen; and the recording does hold what went over the wire
    texts = (SECRET, LABEL, PROGRAM[:30], "the-main-module", "THE_PASSWORD", digest, "HTTP/1.1", "/v1/", "taskId")
    for text in texts:
        for spelled in (text.encode(), text.encode("utf-16-le"), text.upper().encode()):
            assert spelled not in seen, text
    for key in (KEY.secret, mine.secret, KEY.derived("serf")):
        for form in (key, key.hex().encode(), base64.b64encode(key)):
            assert form not in seen
