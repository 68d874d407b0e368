h=new Headers;for(let i=0;;i++)h.append('k'+i,'v')
