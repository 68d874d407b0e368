// Runs what nearly every task runs, so that its compiled code is at hand when the first request comes.
// Nothing that is sent for exchange 0 leaves the isolate.

import { dispatch } from './dispatch.js';
import { withHandler } from './handler.js';
import { boot, unboot } from './process.js';
import { Response } from './response.js';
import { URL } from './url.js';

const TASK = '{"taskId":"warm-up","env":{},"args":[],"mainPath":"main.mjs","pwd":"/"}';
const HEADERS = 'Host\nlocalhost:3000\nAccept\n*/*\nUser-Agent\nwarm-up\nContent-Type\napplication/json\n';
const BODY = '{"a":1}';

const hello = () => new Response('hello');
const page = (request) => {
  const { pathname, searchParams } = new URL(request.url);
  const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
  return new Response(`${request.method} ${pathname} ${searchParams.get('a')}`, { status: 201, headers });
};
const echo = async (request) => Response.json({ value: await request.json(), accept: request.headers.get('accept') });

let compiled = false; // part of the snapshot

// Hook. First called while the snapshot is made: everything once, so that the bytecode is part of it. Later calls are in
// isolates that were made from it: only the shortest path, which links that code. More there cost 350 KB of memory and
// 1 ms per isolate, and won nothing (measured).
export function warmUp() {
  const handlers = compiled ? [hello] : [hello, page, echo];
  compiled = true;
  boot(TASK);
  for (const fetch of handlers) {
    withHandler({ default: { fetch } }, () => dispatch(0, 0, 'POST', '/path?a=b', HEADERS, ops.utf8Encode(BODY)));
  }
  unboot();
}
