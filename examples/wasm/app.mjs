// A .wasm file is imported as a compiled module: no bytes to fetch, no compile when a request comes.
import module from './add.wasm';

const { add, sum, memory } = new WebAssembly.Instance(module).exports;

export default {
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const numbers = searchParams.getAll('n').map(Number);
    if (numbers.length === 0 || !numbers.every(Number.isInteger)) {
      return new Response('Try /add?n=2&n=40 or /sum?n=1&n=2&n=3\n', { status: 400 });
    }
    if (pathname === '/add') return Response.json({ add: add(numbers[0], numbers[1] ?? 0) });
    if (pathname === '/sum') return Response.json({ sum: sumOf(numbers) });
    return new Response('Nothing here\n', { status: 404 });
  },
};

function sumOf(numbers) {
  const room = new Int32Array(memory.buffer);
  room.set(numbers.slice(0, room.length));
  return sum(0, Math.min(numbers.length, room.length));
}
