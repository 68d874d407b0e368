for(;;)try{await import('./'+'a/'.repeat(1e6)+'x.js')}catch{}
