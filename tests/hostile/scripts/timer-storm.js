for(;;)setTimeout(()=>{},1e6)
