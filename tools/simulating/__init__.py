"""A cluster of any size on a clock that jumps, by the product's own rules and procedures. tools/simulate starts it."""
