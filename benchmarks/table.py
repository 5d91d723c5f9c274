"""The table: what was measured, the ratio to the peer or to the disk in the same run, and the figure the design asks for."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

Results = dict[str, dict[str, Any]]
Row = tuple[str, str, str, str, bool | None]


def show(results: Results, missing: dict[str, str], rounds: int) -> None:
    """Print the table, and what was left out."""
    table = Table(title=f"Tradeloop and its peers, medians of {rounds} interleaved round(s), correctness checked in each")
    for column in ("what", "measured", "ratio", "asked for", ""):
        table.add_column(column, justify="right" if column in ("measured", "ratio") else "left")
    met = 0
    rows = list(_rows(results))
    for what, measured, ratio, wanted, reached in rows:
        met += reached is True
        table.add_row(what, measured, ratio, wanted, {True: "reached", False: "not reached", None: ""}[reached])
    console = Console(width=140)
    console.print(table)
    judged = sum(row[4] is not None for row in rows)
    console.print(f"{met} of {judged} figures reached on this machine, load {results[next(iter(results))]['load1']} at the end")
    for name, why in missing.items():
        console.print(f"left out: {name}: {why}")
    _show_limits(results["tradeloop.limits"], console)


def _show_limits(limits: dict[str, Any], console: Console) -> None:
    """What each rule adds to the verdict on an order while it alone has a limit; what several of them share, each pays here."""
    none = limits["none.p50_us"]
    table = Table(title=f"What one limit adds to a verdict of {none} us, p50 at {limits['open_orders']:,} open orders")
    table.add_column("rule")
    table.add_column("us", justify="right")
    prefix = "adds_us."
    for name, adds in sorted(limits.items(), key=lambda item: str(item[0])):
        if name.startswith(prefix):
            table.add_row(name.removeprefix(prefix), f"{adds:.2f}")
    console.print(table)


def _rows(r: Results) -> list[Row]:
    rows: list[Row] = []
    market, limit = r["tradeloop.core.market"], r["tradeloop.core.limit_cancel"]
    memory, durable, one = r["tradeloop.engine_memory.256"], r["tradeloop.durable.256"], r["tradeloop.durable.1"]

    def against(what: str, mine: float, theirs: str, factor: float, wanted: str) -> None:
        if theirs in r:
            ratio = mine / r[theirs]["per_s"]
            rows.append((what, f"{mine:,.0f}/s", f"{ratio:.1f} x {r[theirs]['per_s']:,.0f}/s", wanted, ratio >= factor))
        else:
            rows.append((what, f"{mine:,.0f}/s", "peer missing", wanted, None))

    against("core, market, checks and encoding", market["per_s"], "nautilus.market", 25, ">= 25 x NautilusTrader")
    against("core, limit then cancel", limit["per_s"], "nautilus.limit_cancel", 15, ">= 15 x NautilusTrader")
    against("core, market", market["per_s"], "vnpy.risk", 12, ">= 12 x vn.py with its risk manager")
    against("core, market, one at a time", market["per_s"], "vnpy.risk_one_at_a_time", 12, ">= 12 x vn.py one at a time")
    against("durable, 256 submitters, SQLite", durable["per_s"], "nautilus.market", 12, ">= 12 x NautilusTrader in memory")
    share = durable["per_s"] / memory["per_s"]
    rows.append(("durable against our own in memory", f"{durable['per_s']:,.0f}/s", f"{share:.0%}", ">= 50 %", share >= 0.5))
    rows.append(("durable, 16 submitters", f"{r['tradeloop.durable.16']['per_s']:,.0f}/s", "", "", None))
    ratio = one["reply_p50_us"] / one["raw_fdatasync_p50_us"]
    raw = one["raw_fdatasync_p50_us"]
    rows.append(
        (
            "durable, one submitter, p50 to the reply",
            f"{one['reply_p50_us']:.0f} us",
            f"{ratio:.1f} x fdatasync {raw:.0f} us",
            "<= 2 x",
            ratio <= 2,
        )
    )
    limits = r["tradeloop.limits"]
    what = f"the pipeline, a limit of each of {limits['rules']} rules, p99 at {limits['open_orders']:,} open"
    p99 = limits["all.p99_us"]
    rows.append((what, f"{p99} us", f"p50 {limits['all.p50_us']} us", "<= 50 us", p99 <= 50))
    slow = r["tradeloop.core.market_limits"]["us"] - market["us"]
    rows.append(("what those limits and a quote add to an order, its answer and its fill", f"{slow:.1f} us", "", "", None))
    without = f"{limits['none.p99_us']} us"
    rows.append(("the same pipeline without a limit, p99", without, f"p50 {limits['none.p50_us']} us", "", None))
    scaling = r["tradeloop.scaling"]
    marks = ", ".join(f"{int(mark):,}: {us} us" for mark, us in scaling["us_at"].items())
    rows.append(
        (f"cost per order at {marks}", "", f"{scaling['ratio']:.2f}", "<= 1.2 x that at 10,000", scaling["ratio"] <= 1.2)
    )
    for case, what in (("one_position", "50,000 fills in one position"), ("many_positions", "5,000 positions")):
        flat = r[f"tradeloop.core.{case}"]["p50_us"] / market["p50_us"]
        rows.append(
            (f"cost per order, {what}", f"{r[f'tradeloop.core.{case}']['p50_us']} us", f"{flat:.2f}", "<= 1.2 x", flat <= 1.2)
        )
    pause = scaling["longest_step_ms"]
    rows.append((f"longest pause on the way to {scaling['n']:,} orders", f"{pause} ms", "", "<= 10 ms", pause <= 10))
    weight = scaling["bytes_per_closed_order"]
    rows.append(("memory per closed order", f"{weight:.0f} B", "", "<= 1,000 B", weight <= 1_000))
    back = r["tradeloop.recovery"]
    what = f"recovery of {back['open_orders']:,} open orders from {back['events']:,} events"
    rows.append((f"{what}, cold", f"{back['cold_s']} s", "", "<= 5 s", back["cold_s"] <= 5))
    rows.append((f"{what}, from a snapshot", f"{back['snapshot_s']} s", "", "<= 2 s", back["snapshot_s"] <= 2))
    for stop in (result for case, result in sorted(r.items()) if case.startswith("tradeloop.last_cancel.")):
        what, slowest = (
            f"latch to last cancel on the wire, {stop['n']:,} orders, database down",
            max(stop["hangs_s"], stop["fails_s"]),
        )
        told = f"hangs {stop['hangs_s']} s, fails {stop['fails_s']} s"
        rows.append((what, f"{slowest} s", told, f"<= {stop['asked_s']:g} s", slowest <= stop["asked_s"]))
    rows += _over_rest(r["tradeloop.rest"])
    rows += _pushed(r["tradeloop.push"])
    up = r["tradeloop.first_health"]
    told = f"first {up['first_s']} s, cpu {up['processor_s']} s"
    rows.append(("`tradeloop up --demo` to healthy", f"{up['slowest_s']} s", told, "<= 3 s", up["slowest_s"] <= 3))
    return rows


def _over_rest(rest: dict[str, Any]) -> list[Row]:
    """Orders over REST beside each echo of the same run."""
    rows: list[Row] = []
    what = f"REST, durable order, {rest['connections']:.0f} connections"
    measured = f"{rest['per_s']:,.0f}/s"
    for peer, called, factor in (("fastapi", "FastAPI", 1.5), ("flask", "Flask", 6)):
        wanted = f">= {factor:g} x an empty {called} echo"
        if f"{peer}.per_s" in rest:
            theirs = rest[f"{peer}.per_s"]
            ratio = rest["per_s"] / theirs
            rows.append((what, measured, f"{ratio:.2f} x {theirs:,.0f}/s", wanted, ratio >= factor))
        else:
            rows.append((what, measured, "peer missing", wanted, None))
    theirs = ", ".join(f"{rest[f'{peer}.per_cpu_s']:,.0f}" for peer in ("fastapi", "flask") if f"{peer}.per_cpu_s" in rest)
    what = "the same per processor second, with all that follows the answer"
    rows.append((what, f"{rest['per_cpu_s']:,.0f}", f"echoes {theirs}" if theirs else "", "", None))
    return rows


def _pushed(push: dict[str, Any]) -> list[Row]:
    """Quotes and orders over the stream, to the sockets of so many clients."""
    clients, p99 = f"{push['clients']:.0f}", push["quotes_p99_ms"]
    what = f"quote push, {push['symbols']:.0f} symbols x {clients} clients, p99"
    wanted = "<= 20 ms, and 20 conflated"
    rows: list[Row] = [(what, f"{p99:.1f} ms", f"{p99 - 20:.1f} ms beyond", wanted, p99 <= 40)]
    what = f"order updates to {clients} clients, p99"
    own, wanted = push["orders_p99_ms"], "<= 1.5 x raw websockets"
    if "raw_p99_ms" in push:
        ratio = own / push["raw_p99_ms"]
        rows.append((what, f"{own:.2f} ms", f"{ratio:.1f} x {push['raw_p99_ms']:.2f} ms", wanted, ratio <= 1.5))
        rows.append(("the same, p50", f"{push['orders_p50_ms']:.2f} ms", f"raw {push['raw_p50_ms']:.2f} ms", "", None))
    else:
        rows.append((what, f"{own:.2f} ms", "peer missing", wanted, None))
    return rows
