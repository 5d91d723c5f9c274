"""Station 3 of the flow: what must hold before an order may leave, and the type that proves it was asked."""
