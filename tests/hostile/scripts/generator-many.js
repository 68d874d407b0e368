function*g(){yield g}a=[];for(;;){let i=g();i.next();a.push(i)}
