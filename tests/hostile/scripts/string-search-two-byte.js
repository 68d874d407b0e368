s='\u1234'.repeat(2**25);for(;;)s.lastIndexOf('\u1234\u1235')
