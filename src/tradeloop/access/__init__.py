"""Who asks, and who may do what a name and a reason are not enough for.

It knows no desk: the command line asks it, and a desk on the web will ask the same (docs/adr/0023-a-second-factor.md).
"""
