"""What happens to a cluster: named courses of events, each on a world that has its hosts and tasks already."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from supervisor.cluster.values import Mode
from tools.simulating.host import Host
from tools.simulating.verdict import wrong
from tools.simulating.world import World

# After the last disturbance: gossip heals in 15 s; claims that nobody used and retries take two minutes at most.
QUIET_S = 240.0
SKEW_S = 300.0  # of hosts' clocks
STRICT = 10  # every tenth task


def populate(world: World, hosts: int, tasks: int, *, per_second: int, room: int | None = None) -> None:
    """Starts the hosts, then applies the tasks at that rate. `room`: tasks that fit on a host, or twice its share."""
    room = room or max(4, 2 * tasks // hosts)
    for number in range(hosts):
        world.add(f"host-{number}", tasks=room, skew_s=SKEW_S, has_disk=number % 2 == 0)
    world.run(15.0)
    for start in range(0, tasks, max(1, per_second // 2)):
        for number in range(start, min(tasks, start + max(1, per_second // 2))):
            world.apply(f"task-{number}", mode=Mode.BEST_EFFORT if number % STRICT else Mode.STRICT)
        world.run(0.5)
    world.run(30.0)


def crashes(world: World, minutes: float) -> None:
    """Hosts crash, one after the other, and 2 % at once; most come back after a minute."""
    for round_number in range(max(1, int(minutes))):
        count = 1 if round_number % 3 else max(1, len(world.alive) // 50)
        down = world.chance.sample(world.alive, count)
        for host in down:
            world.crash(host)
        world.run(60.0)
        for host in down[1:] or down:
            world.reboot(host)


def partition(world: World, minutes: float) -> None:
    """Halves that do not see each other; then two against three."""
    for share in (2, 5):
        hosts = _shuffled(world)
        cut = len(hosts) * 2 // 5 if share == 5 else len(hosts) // 2
        world.partition([hosts[:cut], hosts[cut:]])
        world.run(max(60.0, minutes * 30.0))
        world.heal()
        world.run(60.0)


def one_way(world: World, minutes: float) -> None:
    """A fifth of the hosts hears the others and is not heard; then pairs of hosts that gossip but cannot call."""
    hosts = _shuffled(world)
    cut = max(1, len(hosts) // 5)
    world.partition([hosts[:cut], hosts[cut:]], one_way=True)
    world.run(max(60.0, minutes * 30.0))
    world.heal()
    world.disturb()
    for one in world.chance.sample(hosts, len(hosts) // 2):
        world.network.pairs.update((one.id, other.id) for other in world.chance.sample(hosts, max(1, len(hosts) // 10)))
    world.run(max(60.0, minutes * 30.0))
    world.heal()


def flapping(world: World, minutes: float) -> None:
    """A partition that comes and goes."""
    hosts = _shuffled(world)
    half = len(hosts) // 2
    for _ in range(max(2, int(minutes * 2))):
        world.partition([hosts[:half], hosts[half:]])
        world.run(world.chance.uniform(5.0, 50.0))
        world.heal()
        world.run(world.chance.uniform(2.0, 40.0))


def slow(world: World, minutes: float) -> None:
    """A tenth of the hosts answers after seconds, and 20 % of all messages get lost, while hosts crash."""
    world.disturb()
    for host in world.chance.sample(world.alive, max(1, len(world.alive) // 10)):
        world.network.slow[host.id] = 4.0
    world.network.loss = 0.2
    crashes(world, minutes)
    world.heal()


def herd(world: World, minutes: float) -> None:
    """A fifth as many tasks as there are come at once, and all clients try again together."""
    for number in range(max(1, len(world.wanted) // 5)):
        world.apply(f"herd-{number}")
    world.run(minutes * 60.0)


def idle(world: World, minutes: float) -> None:
    """All tasks are removed at once: hosts go home, down to the floor; in a partition the minority stays."""
    for label in list(world.wanted):
        world.remove(label)
    world.run(world.rules.idle_s)
    hosts = _shuffled(world)
    cut = len(hosts) * 2 // 5
    world.partition([hosts[:cut], hosts[cut:]])
    world.run(60.0)
    world.heal()
    world.run(minutes * 60.0)


def rollout(world: World, minutes: float) -> None:
    """One host starts with a new image, when it is the newest by every clock; the others follow."""
    world.run(SKEW_S)
    world.last_image = "image-2"
    world.add("host-canary", tasks=world.alive[0].machine.tasks)
    world.run(minutes * 60.0)


def everything(world: World, minutes: float) -> None:
    """One after the other, a seventh of the time each; all must be well after each of them."""
    for scenario in (herd, crashes, slow, partition, one_way, flapping):
        scenario(world, max(1.0, minutes / 7))
        world.run(QUIET_S)
        world.violations += [f"after {scenario.__name__}: {each}" for each in wrong(world)]
    idle(world, max(5.0, minutes / 7))


SCENARIOS: Mapping[str, Callable[[World, float], None]] = {
    "crashes": crashes,
    "partition": partition,
    "one-way": one_way,
    "flapping": flapping,
    "slow": slow,
    "herd": herd,
    "idle": idle,
    "rollout": rollout,
    "everything": everything,
}


def _shuffled(world: World) -> list[Host]:
    hosts = world.alive
    world.chance.shuffle(hosts)
    return hosts
