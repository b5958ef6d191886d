"""`python -m nekonex`."""

from nekonex.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
