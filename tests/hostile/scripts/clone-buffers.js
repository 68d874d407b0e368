a=[];for(;;)a.push(structuredClone(new Uint8Array(4e6)))
