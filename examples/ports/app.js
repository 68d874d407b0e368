// A classic script: no import, no export, a listener of the fetch event.
// args: --greeting TEXT TIMES; env: NAME.
const [, greeting, times] = process.argv.slice(2);

console.log('cwd %s, arguments %o', process.cwd(), process.argv.slice(2));

addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname === '/env') return event.respondWith(Response.json(process.env));
  if (pathname === '/quit') process.exit(0); // the isolate ends; the ports stay, and the next request boots it again
  const line = `${greeting}, ${process.env.NAME}, at ${event.request.headers.get('host')}\n`;
  event.respondWith(new Response(line.repeat(Number(times))));
});
