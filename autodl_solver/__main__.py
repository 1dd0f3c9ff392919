"""`python -m autodl_solver`."""

from autodl_solver.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
