a=[];a[2**32-2]=1;a[5]=2;a.sort();a.flat();a.toString()
