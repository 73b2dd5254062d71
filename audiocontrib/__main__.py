"""`python -m audiocontrib`."""

from audiocontrib.cli import main

main()
