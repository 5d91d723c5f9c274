"""Tradeloop turns a decision to trade into positions on real brokers, and can always say what happened."""

__version__ = "0.1.0"
