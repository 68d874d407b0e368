// navigator, as far as a program without a screen needs it. https://min-common-api.proposal.wintertc.org/#navigator-useragent-requirements

import { finishInterface } from './webidl.js';

let making = false; // true only while the one instance is made

export class Navigator {
  constructor() {
    if (!making) throw new TypeError('Navigator cannot be constructed; use the global navigator');
  }
  get userAgent() { return 'isolated'; }
  get hardwareConcurrency() { return 1; } // an isolate has one thread
  get language() { return 'en-US'; }
}
finishInterface(Navigator, 'Navigator');

making = true;
export const navigator = new Navigator();
making = false;
