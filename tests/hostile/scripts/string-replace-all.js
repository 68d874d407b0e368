'a'.repeat(2**20).replaceAll('a','b'.repeat(1e5))
