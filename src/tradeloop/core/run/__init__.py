"""A run turns a target portfolio into orders: checked (checks, others), planned (plan), released wave by wave (release).

Those are functions over plain values and the state, which they read. How a person steers a run and how it gets on stands in
conduct, which leg goes now and which one waits in sending, what is left over at the end in ending, what a retry takes over from
the attempts before it in attempts.
"""
