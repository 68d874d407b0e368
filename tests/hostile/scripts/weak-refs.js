a=[];for(;;)a.push(new WeakRef({}))
