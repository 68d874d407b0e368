s='\ud800'.repeat(1e8);for(;;)s.toWellFormed()
