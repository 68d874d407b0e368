for(;;)try{new URL('http://'+'\u00e9.'.repeat(1e6))}catch{}
