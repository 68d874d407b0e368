// performance: the clock, marks and measures. https://w3c.github.io/hr-time/ and https://w3c.github.io/user-timing/

import { DOMException } from './domexception.js';
import { EventTarget } from './events.js';
import { structuredClone } from './clone.js';
import { finishInterface, isObject, requireArguments } from './webidl.js';

const MAX_ENTRIES = 1000; // the oldest are forgotten, so that marking every request does not fill the heap

let making = false; // true only while the runtime itself makes an object
const make = (constructor, ...values) => {
  making = true;
  try {
    return new constructor(...values);
  } finally {
    making = false;
  }
};
const requireMaking = (name) => {
  if (!making) throw new TypeError(`${name} cannot be constructed`);
  making = false;
};

export class PerformanceEntry {
  #name;
  #type;
  #start;
  #duration;
  constructor(name, type, start, duration) {
    requireMaking('PerformanceEntry');
    this.#name = name;
    this.#type = type;
    this.#start = start;
    this.#duration = duration;
  }
  get name() { return this.#name; }
  get entryType() { return this.#type; }
  get startTime() { return this.#start; }
  get duration() { return this.#duration; }
  toJSON() {
    const { name, entryType, startTime, duration, detail } = this;
    return detail === undefined ? { name, entryType, startTime, duration } : { name, entryType, startTime, duration, detail };
  }
}
finishInterface(PerformanceEntry, 'PerformanceEntry');

const detailOf = (options) => (options?.detail === undefined || options.detail === null ? null : structuredClone(options.detail));

export class PerformanceMark extends PerformanceEntry {
  #detail;
  constructor(name, options = undefined) {
    requireArguments(arguments.length, 1, 'PerformanceMark');
    const start = options?.startTime === undefined ? ops.now() : Number(options.startTime);
    if (!(start >= 0)) throw new TypeError(`PerformanceMark: the startTime is ${start}; it must not be negative`);
    const detail = detailOf(options);
    making = true;
    super(`${name}`, 'mark', start, 0);
    this.#detail = detail;
  }
  get detail() { return this.#detail; }
}
finishInterface(PerformanceMark, 'PerformanceMark');

export class PerformanceMeasure extends PerformanceEntry {
  #detail;
  constructor(name, start, duration, detail) {
    super(name, 'measure', start, duration);
    this.#detail = detail;
  }
  get detail() { return this.#detail; }
}
finishInterface(PerformanceMeasure, 'PerformanceMeasure');

const without = (entries, type, name) =>
  entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== `${name}`));

export class Performance extends EventTarget {
  #entries = [];

  constructor() {
    requireMaking('Performance');
    super();
  }

  now() {
    this.#entries; // only a Performance has it
    return ops.now();
  }
  get timeOrigin() {
    this.#entries;
    return ops.timeOrigin();
  }

  mark(name, options = undefined) {
    requireArguments(arguments.length, 1, 'performance.mark');
    return this.#add(new PerformanceMark(name, options));
  }

  measure(name, startOrOptions = undefined, endMark = undefined) {
    requireArguments(arguments.length, 1, 'performance.measure');
    const options = isObject(startOrOptions) ? startOrOptions : { start: startOrOptions, end: endMark };
    let { start, end } = options;
    const { duration } = options;
    if (start !== undefined && end !== undefined && duration !== undefined) {
      throw new TypeError('performance.measure: start, end and duration together; at most two of them can be given');
    }
    start = start === undefined ? undefined : this.#time(start);
    end = end === undefined ? undefined : this.#time(end);
    if (duration !== undefined) {
      if (end === undefined && start !== undefined) end = start + Number(duration);
      else if (end !== undefined) start = end - Number(duration);
    }
    start ??= 0;
    end ??= ops.now();
    return this.#add(make(PerformanceMeasure, `${name}`, start, end - start, detailOf(options)));
  }

  getEntries() { return [...this.#entries].sort((left, right) => left.startTime - right.startTime); }
  getEntriesByType(type) { return this.getEntries().filter((entry) => entry.entryType === `${type}`); }
  getEntriesByName(name, type = undefined) {
    return this.getEntries().filter((entry) => entry.name === `${name}` && (type === undefined || entry.entryType === `${type}`));
  }
  clearMarks(name = undefined) { this.#entries = without(this.#entries, 'mark', name); }
  clearMeasures(name = undefined) { this.#entries = without(this.#entries, 'measure', name); }

  toJSON() { return { timeOrigin: this.timeOrigin }; }

  // A time in milliseconds, or the time of the latest mark of that name.
  #time(value) {
    if (typeof value === 'number') return value;
    const mark = this.#entries.findLast((entry) => entry.entryType === 'mark' && entry.name === `${value}`);
    if (mark === undefined) throw new DOMException(`performance.measure: there is no mark "${value}"`, 'SyntaxError');
    return mark.startTime;
  }

  #add(entry) {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    return entry;
  }
}
finishInterface(Performance, 'Performance');

export const performance = make(Performance);
