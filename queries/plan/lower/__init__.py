"""From algebra to engine SQL: generated text alone, every operator in parentheses of its own."""
