eval('for(let i=0;;i++){'+'i=i*3%1000003;'.repeat(2e4)+'}')
