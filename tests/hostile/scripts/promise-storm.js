for(;;)Promise.resolve().then(()=>{})
