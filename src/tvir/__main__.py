"""``python -m tvir``, which is what torchrun starts."""

from tvir.cli.main import main

if __name__ == "__main__":
    main()
