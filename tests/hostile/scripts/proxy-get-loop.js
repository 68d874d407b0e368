p=new Proxy({},{get:()=>p});for(let o=p;;)o=o.x
