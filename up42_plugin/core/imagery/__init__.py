"""What files of an output are, what their bands mean, and how they are to be shown."""
