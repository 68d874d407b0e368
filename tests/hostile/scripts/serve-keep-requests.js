const kept = []; export default {fetch(request) { kept.push(request, new Array(1e5).fill(request)); return new Response('kept') }}
