for(;;)try{Array.prototype.toSpliced.call({length:2**32-2},0,1)}catch{}
