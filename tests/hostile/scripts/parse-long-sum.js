eval('1'+'+1'.repeat(5e6))
