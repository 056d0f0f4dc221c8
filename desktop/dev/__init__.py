"""For the makers of the window: `bench` measures it, `screenshots` draws its main states."""
