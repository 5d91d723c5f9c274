"""What must hold of a world that lives under limits of risk, counted beside the product and by none of its sums.

in_force    which limits are in force, by the facts of who set them and who ended them; that each ends, and holds what it halts
sizes       what orders may come to: by quantity, by value, and as a share of the equity
rates       how often, and how much in a day
conduct     which orders do not stand beside others, and what is not opened at all
settled     what may be sold under T+1, and what the orders of a run come to
kept        the judge that asks all of them

Of these rules a limit's figure is compared; of all others it is only known that the world stays sound with them on: the prices
(max_price_deviation, max_deviation_from_prev_close, max_slippage, max_quote_age_seconds, limit_up_down), the share and the
value of a minute, the cool-downs, the cancel ratio, quick and large cancels, self-trades of the day, margin, what nobody is
(special treatment, delisting, permissions, the programme report), and of the triggers the loss of the day, the drawdown, the
silence of the feed and the offset of the clock. Values and shares are compared with the room that the prices of the last
minutes leave; nothing here knows which price a process had seen. Rates are counted by the facts that make requests leave: how
a slow disk lets requests of several moments leave together is judged by the venue's own rate alone (gate.py).
"""
