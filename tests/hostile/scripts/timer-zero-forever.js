(function f(){setTimeout(f,0)})()
