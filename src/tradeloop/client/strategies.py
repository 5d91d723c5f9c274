"""Strategies that the desk hosts: what may be asked of the desk about them. Each function makes an `Ask`."""

from __future__ import annotations

from tradeloop.client.ask import Ask, asked, at
from tradeloop.client.stop import Said
from tradeloop.client.strategies_told import ConfigVersions, Strategies, Strategy, Triggers

PATH = "/api/v1/strategies"


def listed() -> Ask[Strategies]:
    """All strategies, and how each stands."""
    return Ask("GET", PATH, Strategies)


def get(name: str) -> Ask[Strategy]:
    """One strategy."""
    return Ask("GET", at(PATH + "/{name}", name=name), Strategy)


def configs(name: str) -> Ask[ConfigVersions]:
    """The versions of its configuration."""
    return Ask("GET", at(PATH + "/{name}/configs", name=name), ConfigVersions)


def triggers(name: str, *, limit: int = 100, cursor: str | None = None) -> Ask[Triggers]:
    """What it asked for, newest first."""
    return Ask("GET", at(PATH + "/{name}/triggers", name=name), Triggers, query=asked(limit=limit, cursor=cursor))


def start(name: str) -> Ask[Said]:
    """Start it, or have it go on after a pause."""
    return Ask("POST", at(PATH + "/{name}/start", name=name), Said)


def pause(name: str) -> Ask[Said]:
    """No new entries; to ask twice pauses no more."""
    return Ask("POST", at(PATH + "/{name}/pause", name=name), Said, is_harmless=True)


def stop(name: str) -> Ask[Said]:
    """End it; what it holds stays."""
    return Ask("POST", at(PATH + "/{name}/stop", name=name), Said)
