s='\u0130'.repeat(1e7);for(;;)s.toLocaleLowerCase('tr')
