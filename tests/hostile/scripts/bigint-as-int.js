x=-1n;for(;;)BigInt.asUintN(2**29,x)
