console.log({get x(){for(;;);},[Symbol.for('nodejs.util.inspect.custom')](){for(;;);},toString(){for(;;);}});for(;;)console.log(new Proxy({},{ownKeys(){for(;;);}}))
