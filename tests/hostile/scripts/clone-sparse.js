a=[];a[2**32-2]=1;structuredClone(a)
