for(let i=0;;i++)new Function('a'+i,'return a'+i+'+1')(i)
