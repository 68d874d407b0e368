export default {fetch() { throw {toString() { for (;;); }, get stack() { for (;;); }} }}
