"""What every page stands in, and what several of them share."""
