"""`python -m whatmoves` is `whatmoves`."""

from whatmoves.cli import main

if __name__ == "__main__":
    main()
