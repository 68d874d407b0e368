x=(1n<<(2n**22n))-1n;for(;;)x.toLocaleString('de')
