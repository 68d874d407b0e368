a=[];for(;;){let d=new TextDecoder('euc-jp');d.decode(new Uint8Array([0x8f]),{stream:true});a.push(d)}
