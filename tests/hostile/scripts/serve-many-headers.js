export default {fetch: () => new Response('', {headers: Array.from({length: 1e5}, (_, i) => ['k' + i, 'v'])})}
