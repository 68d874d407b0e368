function f(){new URL({toString(){f();return 'http://a'}})}f()
