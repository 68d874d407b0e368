o={toString(){return ''+o}};for(;;)try{''+o}catch{}
