function f(){[1].map(f)}for(;;)try{f()}catch{}
