p=Promise.resolve();for(;;)p=p.then(()=>new Array(10))
