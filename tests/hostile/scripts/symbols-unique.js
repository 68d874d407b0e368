a=[];for(;;)a.push(Symbol('x'.repeat(100)))
