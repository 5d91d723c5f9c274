"""Read models: what the journal says, as SQL tables that anybody may query and nobody needs to trust.

Every row here is folded from events and can be thrown away and folded anew with the same result; nothing decides by it. The
cursor of the fold is committed with its rows, so that each event counts exactly once (DESIGN 7).
"""
