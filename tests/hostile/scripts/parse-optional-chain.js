eval('a'+'?.b'.repeat(1e6))
