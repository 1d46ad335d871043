"""The command line as a module: `python -m gateway.cli.run` is `sluis`."""

from __future__ import annotations

from gateway.cli import main

if __name__ == "__main__":
    main()
