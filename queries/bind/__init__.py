"""From syntax to algebra: names are resolved, types settled, colours given; the rest is refused."""
