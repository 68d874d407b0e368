// One isolate of node_isolates.mjs: answers every message.
import { parentPort } from 'node:worker_threads'

parentPort.on('message', (message) => parentPort.postMessage(message))
