// One isolate of deno_isolates.mjs: answers every message.
self.onmessage = (event) => self.postMessage(event.data)
