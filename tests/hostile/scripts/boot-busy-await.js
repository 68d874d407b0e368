for(;;)await new Promise(done=>setTimeout(done,0))
