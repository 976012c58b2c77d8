"""What scripts/torture does to the program, by kind of fault."""
