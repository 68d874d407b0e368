function f(){console.log({get [Symbol.toStringTag](){f();return 'x'}})}f()
