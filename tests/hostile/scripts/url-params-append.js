u=new URL('http://a/');for(let i=0;;i++)u.searchParams.append('k'+i,'v'.repeat(1000))
