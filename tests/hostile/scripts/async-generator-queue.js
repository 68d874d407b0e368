async function*g(){for(;;)await new Promise(()=>{})}let q=g();for(;;)q.next()
