d=new TextDecoder('utf-16le');u=new Uint8Array(1e6);s='';for(;;)s+=d.decode(u,{stream:true})
