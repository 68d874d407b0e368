"""A fuzzer for the isolation host: programs that nobody would write, beside a neighbour that must not notice."""
