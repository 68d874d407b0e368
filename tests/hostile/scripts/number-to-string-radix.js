for(;;)(Number.MAX_VALUE).toString(3)
