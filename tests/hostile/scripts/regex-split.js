'x'.repeat(1e5).split(/(x*)*y/)
