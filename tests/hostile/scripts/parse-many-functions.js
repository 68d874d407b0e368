eval('function f(){}'.repeat(1e6))
