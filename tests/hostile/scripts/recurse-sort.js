function f(){[2,1].sort(f);return 1}f()
