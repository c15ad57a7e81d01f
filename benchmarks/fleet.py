"""What a fleet of shops needs, worked out from measured figures: `python benchmarks/fleet.py`

The model is the design: the calls of one shop are decided one batch at a time, a batch takes whatever waits, and each
call in it costs so much of the process that decides and so much of the database. Nothing is shared between shops, so
a database node carries whichever shops lie on it. Arrivals are random (Poisson), shops are as unequal as they are in
life (Zipf). A run simulates every call of some minutes of the busiest, a middle and a quiet shop of each fleet.

The figures that go in are arguments; the defaults are those of docs/scale.md, with how they were measured.
"""

import argparse
import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_TOGETHER = 128


@dataclass(frozen=True)
class Costs:
    """Milliseconds: a batch's fixed part (lock, commit, round trips), and of each call the decider's and database's."""

    batch: float
    decide: float
    database: float

    @property
    def call(self) -> float:
        """How long one more call makes a batch."""
        return self.decide + self.database

    @property
    def most(self) -> float:
        """Calls a second one shop can have at the very most."""
        return 1000 * MOST_TOGETHER / (self.batch + MOST_TOGETHER * self.call)


def zipf(shops: int, total: float, exponent: float) -> list[float]:
    """Calls a second of each shop, the busiest first."""
    weights = [1 / rank**exponent for rank in range(1, shops + 1)]
    return [total * weight / sum(weights) for weight in weights]


def waits(rate: float, costs: Costs, seconds: float, chance: random.Random) -> list[float]:
    """Milliseconds from each call's arrival to its durable answer, in one shop with so many calls a second."""
    arrivals = list(_arrivals(rate, seconds, chance))
    took: list[float] = []
    free, at = 0.0, 0
    while at < len(arrivals):
        begins = max(free, arrivals[at])
        size = 1
        while size < MOST_TOGETHER and at + size < len(arrivals) and arrivals[at + size] <= begins:
            size += 1
        free = begins + costs.batch + size * costs.call
        took += [free - arrival for arrival in arrivals[at : at + size]]
        at += size
    return took


def _arrivals(rate: float, seconds: float, chance: random.Random) -> Iterator[float]:
    at = 0.0
    while (at := at + chance.expovariate(rate) * 1000) < seconds * 1000:
        yield at


def placed(rates: Sequence[float], nodes: int) -> list[float]:
    """Calls a second on each node when every shop goes to the node with the least to do."""
    loads = [(0.0, node) for node in range(nodes)]
    for rate in rates:
        load, node = heapq.heappop(loads)
        heapq.heappush(loads, (load + rate, node))
    return [load for load, _ in loads]


def nodes_for(rates: Sequence[float], costs: Costs, cores: int, most_busy: float) -> int:
    """The fewest nodes of so many cores on which no database is busier than that."""
    carries = 1000 * cores / costs.database * most_busy
    nodes = max(1, math.ceil(sum(rates) / carries))
    while max(placed(rates, nodes)) > carries:
        nodes += 1
    return nodes


def told(took: Sequence[float]) -> str:
    """Median and tail, or that there was nothing to tell."""
    ordered = sorted(took)
    if not ordered:
        return "no calls"
    return f"p50 {ordered[len(ordered) // 2]:.1f} p99 {ordered[int(len(ordered) * 0.99)]:.1f} ms"


def main() -> None:
    """Prints one line for each size of fleet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=float, default=0.83, help="ms of a batch that no call causes")
    parser.add_argument("--decide", type=float, default=0.82, help="ms of a call in the process that decides")
    parser.add_argument("--database", type=float, default=0.54, help="ms of a call in the database")
    parser.add_argument("--cores", type=int, default=8, help="cores of a database node")
    parser.add_argument("--busy", type=float, default=0.6, help="how busy a database may be")
    parser.add_argument("--zipf", type=float, default=0.9, help="how unequal the shops are")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    costs = Costs(options.batch, options.decide, options.database)
    chance = random.Random(1)
    print(f"one shop: at most {costs.most:,.0f} calls/s; a database core: {1000 / costs.database:,.0f} calls/s")
    for shops, minute in ((1, 6_000), (100, 60_000), (1_000, 250_000), (10_000, 1_000_000)):
        rates = zipf(shops, minute / 60, options.zipf)
        nodes = nodes_for(rates, costs, options.cores, options.busy)
        deciders = math.ceil(sum(rates) * costs.decide / 1000 / options.busy)
        line = f"{shops:>6} shops, {minute:>9,} calls/min: {nodes} database node(s), {deciders} deciding core(s)"
        print(line)
        for name, rate in {"busiest": rates[0], "middle": rates[shops // 2], "quietest": rates[-1]}.items():
            if rate > costs.most:
                print(f"        {name:<9} {rate:8.1f} calls/s: more than one shop can have")
            else:
                print(f"        {name:<9} {rate:8.1f} calls/s: {told(waits(rate, costs, options.seconds, chance))}")


if __name__ == "__main__":
    main()
