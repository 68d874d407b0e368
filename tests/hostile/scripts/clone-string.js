s='\u1234'.repeat(2**27);for(;;)structuredClone(s)
