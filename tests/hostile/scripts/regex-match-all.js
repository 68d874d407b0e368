a=[];for(;;)a.push(...'ab'.repeat(1e4).matchAll(/(a)(b)/g))
