a=[];for(;;)a.push(1n<<(2n**29n))
