(function f(){setTimeout(f,0);setTimeout(f,0)})()
