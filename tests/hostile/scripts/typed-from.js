Uint8Array.from({length:2**33})
