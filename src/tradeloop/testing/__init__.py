"""The test kit for authors of adapters: contracts, builders and worlds that ship with the product."""
