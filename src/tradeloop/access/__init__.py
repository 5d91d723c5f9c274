"""Who asks, and what that lets them do: users, sessions, keys, second factors, and the secrets of brokers.

It knows no desk: the command line asks it, and a desk on the web will ask the same (docs/adr/0023-a-second-factor.md).
"""
