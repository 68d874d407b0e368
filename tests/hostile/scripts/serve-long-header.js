export default {fetch: () => new Response('', {headers: {x: 'v'.repeat(2 ** 26)}})}
