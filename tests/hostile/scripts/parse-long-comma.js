eval('a=1'+',a'.repeat(2e6))
