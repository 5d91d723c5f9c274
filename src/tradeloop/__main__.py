"""`python -m tradeloop` is the command `tradeloop`."""

from tradeloop.cli import main

if __name__ == "__main__":
    main()
