o={[Symbol.toPrimitive](){return o},valueOf(){for(;;);}};try{+o}catch{for(;;)`${{toString(){return 'x'.repeat(1e6)}}}`}
