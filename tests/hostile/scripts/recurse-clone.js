function f(){structuredClone({get x(){f()}})}f()
