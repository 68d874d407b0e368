structuredClone({get x(){for(;;);}})
