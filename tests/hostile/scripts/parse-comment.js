for(;;)eval('/*'+'x'.repeat(1e7)+'*/')
