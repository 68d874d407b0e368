/* The whole C ABI between the Python process and the V8 isolates.
 *
 * cffi parses this file (API mode), so nothing here is written twice. It is plain C: no macros with arguments, no
 * conditional code below the guard, no includes that cffi would have to follow.
 *
 * Rules that hold for every function:
 *  - Threads: call from one thread, the asyncio loop's, unless a function says "any thread". No function runs
 *    JavaScript, takes the GIL or waits for an isolate, except where it says so.
 *  - Ownership: every pointer passed in is read before the call returns and never kept. Every pointer handed out
 *    says how long it is valid.
 *  - Isolates are named by ids. An id is never reused within a process, and 0 is never an isolate. A stale id is an
 *    answer (ISOLATED_GONE), not a fault.
 *  - Sizes are bytes, times are nanoseconds, unless the name says otherwise.
 */
#ifndef ISOLATED_H
#define ISOLATED_H

#ifndef ISOLATED_CFFI
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#endif

/* What calls return. */
enum {
  ISOLATED_OK = 0,
  ISOLATED_GONE = -1,    /* no isolate has this id (any more) */
  ISOLATED_INVALID = -2, /* an argument is out of its range */
  ISOLATED_FAILED = -3   /* the system refused; isolated_error() says what */
};

/* Kinds of records that come from isolates (isolated_drain). */
enum {
  ISOLATED_WARM = 1,          /* the isolate can take a boot; aux: microseconds since isolated_create */
  ISOLATED_READY = 2,         /* boot is done; aux: 1 if there is a fetch handler, else 0; exchange: boot microseconds;
                                 payload: the hash of the sources, hex, as in EXIT */
  ISOLATED_RESPONSE = 3,      /* a whole response; payload: its bytes as they go on the wire */
  ISOLATED_RESPONSE_HEAD = 4, /* a streamed response begins; payload: status line and headers, wire bytes */
  ISOLATED_RESPONSE_BODY = 5, /* more of it; payload: wire bytes (already framed); aux: credit it used up */
  ISOLATED_RESPONSE_END = 6,  /* the end; payload: last wire bytes, may be empty */
  ISOLATED_RESPONSE_FAILED = 7, /* no (more) response; payload: UTF-8 message for the log, never for the client */
  ISOLATED_BODY_CREDIT = 8,     /* the isolate took aux bytes of the request's body */
  ISOLATED_BODY_CANCEL = 9,     /* the isolate does not want the rest of the request's body */
  ISOLATED_LOG = 10,            /* payload: UTF-8 text; aux: 0 debug, 1 info, 2 warning, 3 error */
  ISOLATED_EXIT = 11            /* the isolate is over and its thread gone; payload: JSON, see docs of exits */
};

/* Flags of a request (isolated_request). */
enum {
  ISOLATED_REQUEST_CLOSE = 1,  /* answer with Connection: close */
  ISOLATED_REQUEST_HTTP10 = 2, /* the client speaks HTTP/1.0: no chunked framing */
  ISOLATED_REQUEST_STREAM = 4, /* the body follows in isolated_body calls */
  ISOLATED_REQUEST_TLS = 8     /* the request's URL is https: */
};

/* Flags of a record. */
enum {
  ISOLATED_RECORD_CLOSE = 1 /* the connection must be closed after this response */
};

/* Parts of a streamed request body (isolated_body). */
enum {
  ISOLATED_BODY_CHUNK = 0,
  ISOLATED_BODY_END = 1,
  ISOLATED_BODY_FAILED = 2 /* the client went away in the middle */
};

/* Why an isolate is asked to end (isolated_end). The exit record names it. */
enum {
  ISOLATED_END_DRAINED = 1,
  ISOLATED_END_IDLE = 2,
  ISOLATED_END_KILLED = 3,
  ISOLATED_END_WALL_LIMIT = 4,
  ISOLATED_END_STARTUP_LIMIT = 5
};

/* Flags of the engine (isolated_engine_options). */
enum {
  ISOLATED_ENGINE_NO_SECCOMP = 1 /* isolate threads are not confined to the system calls they need; for debugging */
};

/* Flags of a boot (isolated_boot_options). */
enum {
  ISOLATED_BOOT_NO_EVAL = 1, /* eval and new Function throw an EvalError */
  ISOLATED_BOOT_NO_WASM = 2  /* WebAssembly cannot be compiled */
};

struct isolated_engine_options {
  const char* runtime_js; /* the bundled runtime, UTF-8; baked into the startup snapshot */
  size_t runtime_js_length;
  const char* v8_flags; /* extra V8 flags, as on a command line; may be NULL */
  uint32_t
      platform_threads; /* helper threads for V8's GC and compiler, all isolates together; 0: cores - 1, at least 1 */
  uint32_t flags;       /* ISOLATED_ENGINE_* */
};

struct isolated_boot_options {
  const char* pwd;         /* absolute path of the folder that modules are loaded from; nothing outside can be read */
  const char* main_path;   /* relative to pwd, UTF-8 */
  const char* parameters;  /* JSON: {"taskId":…, "env":{…}, "args":[…], "pwd":…, "mainPath":…} for the runtime */
  uint64_t heap_limit;     /* bytes of V8 heap; 0: V8's own default */
  uint64_t external_limit; /* bytes of ArrayBuffers and other memory outside the heap; 0: none */
  double cpu_startup_ms;   /* CPU time for the boot; 0: no limit */
  double cpu_request_ms;   /* CPU time that each request adds to the isolate's account; 0: no limit */
  uint32_t flags;          /* ISOLATED_BOOT_* */
  const char* blocked; /* hashes of sources that are not run, hex, each ended by '\n'; may be NULL. A task whose sources
                          have one of them exits with reason "blocked" before any of it is run */
};

struct isolated_statistics {
  uint64_t heap_used;
  uint64_t heap_total;
  uint64_t external_used;
  uint64_t cpu_ns;        /* CPU time of the isolate's thread */
  int64_t cpu_left_ns;    /* CPU time left in the account; -1: no limit */
  uint64_t busy_since_ns; /* CLOCK_MONOTONIC when the present entry into JS began; 0: not in JS */
  uint32_t exchanges;     /* requests in flight */
  uint32_t timers;        /* timers waiting */
  int32_t thread_id;      /* Linux tid; 0 before the thread runs */
};

struct isolated_counts {
  uint32_t isolates; /* ids alive, warm ones included */
  uint32_t threads;  /* isolate threads alive; more than isolates only while one is being joined */
  uint32_t parked;   /* threads parked after a fault V8 cannot survive, or because they would not end */
  uint32_t faults;   /* of those, by a wrong access to memory: the process should be replaced at once */
  uint64_t created;  /* isolates ever made */
  uint64_t records;  /* records waiting in the outbox */
};

/* Starts V8 and makes the startup snapshot (about 30 ms). Once per process. */
int isolated_start(const struct isolated_engine_options* options);

/* Ends every isolate (waits for their threads, at most 5 s) and stops V8. Not restartable. */
void isolated_stop(void);

/* The eventfd that is readable while records wait. Owned by the library; valid until isolated_stop. */
int isolated_doorbell(void);

/* Message of the last ISOLATED_FAILED or ISOLATED_INVALID on this thread, UTF-8; valid until the next failure. Any
 * thread. */
const char* isolated_error(void);

/* V8's version, e.g. "13.6.233.17-node.50". Static. Any thread. */
const char* isolated_v8_version(void);

/* Makes a thread with an isolate on it, from the snapshot. Returns its id, or 0 if the engine was not started.
 * ISOLATED_WARM follows; or ISOLATED_EXIT with the reason "no-thread". */
uint32_t isolated_create(void);

/* Linux tid of the thread that starts those of isolates: they are born in its cgroup and on its cores. */
int isolated_starter_thread(void);

/* Boots a task in a fresh isolate. ISOLATED_READY or ISOLATED_EXIT follows. */
int isolated_boot(uint32_t isolate, const struct isolated_boot_options* options);

/* Hands a request to the isolate; one that comes before READY waits for it, and is only dispatched if there is a
 * handler. `exchange` is the caller's number for request and response, unique in the process.
 * `headers`: name, value, name, value ... each ended by '\n'. `target`: as on the request line. */
int isolated_request(uint32_t isolate, uint64_t exchange, uint32_t flags, const char* method, size_t method_length,
                     const char* target, size_t target_length, const char* headers, size_t headers_length,
                     const char* body, size_t body_length);

/* More of a streamed request body; `part` is one of ISOLATED_BODY_*. */
int isolated_body(uint32_t isolate, uint64_t exchange, int part, const char* data, size_t length);

/* The client is gone or was answered otherwise: the request's signal aborts, later records of the exchange stop. */
int isolated_abort(uint32_t isolate, uint64_t exchange);

/* The peer took `bytes` of a streamed response: so many more may be sent. A stream starts with 262,144. */
int isolated_credit(uint32_t isolate, uint64_t exchange, uint32_t bytes);

/* Asks the isolate to end, for one of ISOLATED_END_*. DRAINED and IDLE wait for what runs and is queued before;
 * the others terminate JavaScript at once. ISOLATED_EXIT follows. */
int isolated_end(uint32_t isolate, int reason);

/* Copies what is known of an isolate. Heap figures are those of its last turn of the loop. Any thread. */
int isolated_get_statistics(uint32_t isolate, struct isolated_statistics* out);

/* Counts over all isolates. Any thread. */
void isolated_get_counts(struct isolated_counts* out);

/* Takes all records that wait. `*records` points to them until the next call. Returns their size in bytes, 0 if none.
 * A record is a 24-byte little-endian header and its payload, padded to 8 bytes:
 *   u32 length of the payload, u16 kind, u16 flags, u64 exchange, u32 isolate, u32 aux. */
size_t isolated_drain(const uint8_t** records);

#ifndef ISOLATED_CFFI
#ifdef __cplusplus
}
#endif
#endif
#endif /* ISOLATED_H */
