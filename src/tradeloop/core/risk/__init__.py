"""Station 3 of the flow, 风控: what must hold before an order may leave, and the type that proves it was asked."""
