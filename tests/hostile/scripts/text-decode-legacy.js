u=new Uint8Array(1.2e7).fill(0xa4);for(;;)new TextDecoder('gb18030').decode(u)
