(function f(){queueMicrotask(f);queueMicrotask(f)})()
