a=[];for(;;)try{a.push(new ArrayBuffer(8,{maxByteLength:2**32}))}catch{a.length=0}
