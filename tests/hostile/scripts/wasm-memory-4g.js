new Uint8Array(new WebAssembly.Memory({initial:65536}).buffer).fill(1)
