(function f(){eval('f()')})()
