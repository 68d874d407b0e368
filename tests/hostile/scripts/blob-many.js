a=[];for(;;)a.push(new Blob(['x'.repeat(1e4)]))
