a=[];for(;;)a.push(AbortSignal.any([AbortSignal.timeout(1e6)]))
