"""How fast Better Share serves sessions of any size: `make bench`."""
