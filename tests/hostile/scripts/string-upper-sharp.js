s='\u00df'.repeat(5e7);for(;;)s.toUpperCase()
