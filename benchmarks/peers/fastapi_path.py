"""An empty FastAPI echo: the order is validated by a pydantic model and given back. Run in the peer's own environment.

fastapi_path.py     prints its port and serves until it is ended
"""

import socket

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict


class Order(BaseModel):
    """The fields of an order at our own route, by the same types."""

    model_config = ConfigDict(extra="forbid")

    symbol: str
    side: str
    quantity: str
    order_type: str = "market"
    exchange: str = ""
    time_in_force: str = "DAY"
    price: str | None = None
    stop_price: str | None = None
    position_effect: str = "AUTO"
    strategy_id: str = ""
    account: str = ""
    reason: str = ""


app = FastAPI()


@app.post("/api/v1/orders", status_code=201)
async def echo(order: Order) -> Order:
    """Give it back."""
    return order


def main() -> None:
    """One worker, on uvloop and httptools, without logs: the fastest it is served."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws="none", log_level="error", access_log=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
