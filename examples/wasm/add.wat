;; add.wasm as text. `wat2wasm add.wat` makes the same module; make_wasm.py needs no such tool.
(module
  (func (export "add") (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.add)

  ;; The sum of `count` 32-bit integers in memory, the first of them at `at`.
  (func (export "sum") (param $at i32) (param $count i32) (result i32)
    (local $total i32)
    block
      loop
        local.get $count
        i32.eqz
        br_if 1
        local.get $total
        local.get $at
        i32.load
        i32.add
        local.set $total
        local.get $at
        i32.const 4
        i32.add
        local.set $at
        local.get $count
        i32.const 1
        i32.sub
        local.set $count
        br 0
      end
    end
    local.get $total)

  (memory (export "memory") 1 16))
