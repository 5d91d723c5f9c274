"""The pure core, read along the flow: no I/O, no clock, no randomness, no logging.

types · errors · instrument       the words
commands · reports                what comes in: asked by people, said by brokers
run/        1 target -> plan      plan · checks · release · conduct
algo/       2 parent -> child     immediate
risk/       3 may it leave        checks · pipeline · approved
order · staging · answers · fate  4 one order: its facts, its birth, the broker's answers, and what is unknown
execution · fills                 5 fills: identity, booking, busts, corrections
position · cash                   6 what is held and what is promised
reconcile                         7 our books against the broker's
events · state                    the facts and their fold
decide · evolve · follow          the three functions the engine calls
"""
