// The Web platform of an isolate: puts every global in its place and hands the hooks to the native side.
// Evaluated once per process, while the startup snapshot is made.

import './early_globals.js';
import './json.js';
import { AbortController, AbortSignal } from './abort.js';
import { atob, btoa } from './base64.js';
import { Blob, File } from './blob.js';
import { structuredClone } from './clone.js';
import { console } from './console.js';
import { Crypto, crypto } from './crypto.js';
import { DOMException } from './domexception.js';
import { TextDecoder, TextEncoder } from './encoding.js';
import { CloseEvent, CustomEvent, ErrorEvent, MessageEvent, PromiseRejectionEvent } from './event_types.js';
import { Event, EventTarget } from './events.js';
import { FetchEvent } from './fetch_event.js';
import { FormData } from './formdata.js';
import { addEventListener, dispatchEvent, removeEventListener } from './global_events.js';
import { Headers } from './headers.js';
import { hooks } from './hooks.js';
import { Navigator, navigator } from './navigator.js';
import { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, performance } from './performance.js';
import { reportError } from './report_error.js';
import { Request } from './request.js';
import { Response } from './response.js';
import * as streams from './streams.js';
import { TextDecoderStream, TextEncoderStream } from './text_streams.js';
import { clearInterval, clearTimeout, queueMicrotask, setInterval, setTimeout } from './timers.js';
import { URL, URLSearchParams } from './url.js';

const streamClasses = [
  'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'ReadableByteStreamController', 'ReadableStream', 'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest', 'ReadableStreamDefaultController', 'ReadableStreamDefaultReader', 'TransformStream',
  'TransformStreamDefaultController', 'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter',
];

const classes = {
  AbortController, AbortSignal, Blob, CloseEvent, Crypto, CustomEvent, DOMException, ErrorEvent, Event, EventTarget, FetchEvent, File, FormData,
  Headers, MessageEvent, Navigator, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PromiseRejectionEvent, Request,
  Response, TextDecoder, TextDecoderStream, TextEncoder, TextEncoderStream, URL, URLSearchParams,
};
for (const name of streamClasses) classes[name] = streams[name];

const functions = {
  addEventListener, atob, btoa, clearInterval, clearTimeout, dispatchEvent, queueMicrotask, removeEventListener, reportError, setInterval,
  setTimeout, structuredClone,
};

const objects = { crypto, navigator, performance };

// Minifying changes names, so each is set again.
function install(values, attributes) {
  for (const name of Object.keys(values)) {
    const value = values[name];
    if (typeof value === 'function' && value.name !== name) Object.defineProperty(value, 'name', { value: name, configurable: true });
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, ...attributes });
  }
}

install(classes, { enumerable: false });
install(functions, { enumerable: true });
install({ console, self: globalThis }, { enumerable: false });
install(objects, { enumerable: true });

ops.setHooks(hooks);
