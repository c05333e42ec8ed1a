"""One file a step. A released step is never changed: somebody's database was made by it."""
