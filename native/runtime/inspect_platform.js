// What inspect shows of the platform's own objects: the values of their attributes, read past whatever the program has put
// over them. Bodies are left out, because asking for one makes a stream of it.

import { AbortSignal } from './abort.js';
import { Blob, File } from './blob.js';
import { TextDecoder } from './encoding.js';
import { CustomEvent, ErrorEvent } from './event_types.js';
import { Event } from './events.js';
import { FormData } from './formdata.js';
import { Headers } from './headers.js';
import { showAs } from './inspect.js';
import { Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure } from './performance.js';
import { Request } from './request.js';
import { Response } from './response.js';
import { URL } from './url.js';

const { apply } = Reflect;

// The getter of an attribute, on the interface's prototype or on one that it inherits from.
function getterOf(prototype, name) {
  for (let holder = prototype; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const property = Object.getOwnPropertyDescriptor(holder, name);
    if (property !== undefined) return property.get;
  }
  throw new Error(`There is no attribute ${name}`);
}

function showAttributes(constructor, names) {
  const getters = names.split(' ').map((name) => [name, getterOf(constructor.prototype, name)]);
  showAs(constructor, (object) => Object.fromEntries(getters.map(([name, getter]) => [name, apply(getter, object, [])])));
}

function showPairs(constructor) {
  const { entries } = constructor.prototype;
  showAs(constructor, (object) => [...apply(entries, object, [])]);
}

showAttributes(URL, 'href origin protocol username password host hostname port pathname search searchParams hash');
showAttributes(Request, 'method url headers redirect signal bodyUsed');
showAttributes(Response, 'status statusText ok type url redirected headers bodyUsed');
showAttributes(Blob, 'size type');
showAttributes(File, 'name size type lastModified');
showAttributes(AbortSignal, 'aborted reason');
showAttributes(Event, 'type defaultPrevented cancelable timeStamp');
showAttributes(CustomEvent, 'type detail defaultPrevented cancelable timeStamp');
showAttributes(ErrorEvent, 'type message error filename lineno colno');
showAttributes(TextDecoder, 'encoding fatal ignoreBOM');
showAttributes(Performance, 'timeOrigin');
showAttributes(PerformanceEntry, 'name entryType startTime duration');
showAttributes(PerformanceMark, 'name entryType startTime duration detail');
showAttributes(PerformanceMeasure, 'name entryType startTime duration detail');
showPairs(Headers);
showPairs(FormData);
