"""Venues to test adapters against: each speaks a broker's protocol over a real socket, keeps its own books and misbehaves on
demand."""
