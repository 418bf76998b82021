/**
 * Which events one socket wants: the names from `event`, the subclasses of CUSTOM, `filter`s, and
 * `myevents`. Semantics, replies included, are those of mod_event_socket.
 */
import type { EslEvent, EventFormat } from './event.ts';
import { EVENT_NAMES, eventNamed, MY_EVENTS } from './event-names.ts';

interface Filter {
  readonly header: string;
  readonly value: string;
}

/** No client needs more, and each costs a comparison per event. */
const FILTERS_MAX = 100;
const SUBCLASSES_MAX = 200;

export class Subscription {
  format: EventFormat = 'plain';
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();
  #filters: Filter[] = [];
  #listening = false;
  /** Set by `myevents`: only this channel's events pass. */
  #onlyUuid: string | undefined;

  /** Cheap first question, asked before an event's headers are built. */
  wantsKind(name: string, subclass: string | undefined): boolean {
    if (!this.#listening) return false;
    if (name !== 'CUSTOM') return this.#names.has(name);
    if (!this.#names.has('CUSTOM')) return false;
    return this.#names.has('ALL') || (subclass !== undefined && this.#subclasses.has(subclass));
  }

  /**
   * The one channel this socket can hear, when filters or `myevents` leave no other: it lets the bus
   * go straight from a channel to its socket instead of asking every socket about every event.
   */
  get onlyChannel(): string | undefined {
    if (this.#onlyUuid !== undefined) return this.#onlyUuid;
    if (this.#filters.length !== 1) return undefined;
    const filter = this.#filters[0];
    if (filter?.header.toLowerCase() !== 'unique-id' || /^[+\-/ ]/.test(filter.value))
      return undefined;
    return filter.value;
  }

  wants(event: EslEvent): boolean {
    if (!this.wantsKind(event.name, event.subclass)) return false;
    if (this.#filters.length > 0 && !this.#passesFilters(event)) return false;
    if (this.#onlyUuid === undefined) return true;
    return (
      event.headers['Unique-ID'] === this.#onlyUuid ||
      event.headers['Job-Owner-UUID'] === this.#onlyUuid
    );
  }

  /** `event [plain|json|xml] NAME ... [CUSTOM subclass ...]`: after CUSTOM every word is a subclass. */
  add(words: readonly string[]): string {
    let known = 0;
    let custom = false;
    words.forEach((word, index) => {
      if (index === 0 && isFormat(word.toLowerCase()))
        this.format = word.toLowerCase() as EventFormat;
      else if (custom) this.#addSubclass(word);
      else {
        const name = eventNamed(word);
        if (name === undefined) return;
        known += 1;
        if (name === 'ALL') this.#addAll();
        this.#names.add(name);
        custom = name === 'CUSTOM';
      }
    });
    if (known === 0) return '-ERR no keywords supplied';
    this.#listening = true;
    return `+OK event listener enabled ${this.format}`;
  }

  /** `nixevent NAME ...` */
  remove(words: readonly string[]): string {
    let known = 0;
    let custom = false;
    for (const word of words) {
      const name = custom ? undefined : eventNamed(word);
      if (custom) this.#subclasses.delete(word);
      else if (name !== undefined) {
        known += 1;
        if (name === 'CUSTOM') custom = true;
        else if (name === 'ALL') this.#names.clear();
        else this.#names.delete(name);
      }
    }
    if (known === 0) return '-ERR no keywords supplied';
    return '+OK events nixed';
  }

  /** `noevents` */
  removeAll(): string {
    if (!this.#listening) return '-ERR not listening for events';
    this.#listening = false;
    this.#names.clear();
    this.#subclasses.clear();
    return '+OK no longer listening for events';
  }

  /** `filter [add] Header value`, `filter delete Header [value]`, `filter delete all`. */
  filter(argument: string): string {
    const [first, second, third] = splitHeaderAndValue(argument);
    if (first.toLowerCase() === 'delete' && second !== undefined) {
      return this.#deleteFilter(second, third);
    }
    if (second === undefined) return '-ERR invalid syntax';
    const adds = first.toLowerCase() === 'add';
    if (adds && third === undefined) return '-ERR invalid syntax';
    const header = adds ? second : first;
    const value = adds ? (third ?? '') : third === undefined ? second : `${second} ${third}`;
    if (this.#filters.length >= FILTERS_MAX) return '-ERR too many filters';
    this.#filters.push({ header, value });
    return `+OK filter added. [${header}]=[${value}]`;
  }

  /** `myevents [plain|json|xml]` on a socket that controls a channel, or with the channel's uuid. */
  mine(uuid: string, format: string | undefined): string {
    if (this.#onlyUuid !== undefined) return '-ERR aready enabled.'; // the misspelling is FreeSWITCH's
    this.#onlyUuid = uuid;
    for (const name of MY_EVENTS) this.#names.add(name);
    if (format !== undefined && isFormat(format.toLowerCase())) {
      this.format = format.toLowerCase() as EventFormat;
    }
    this.#listening = true;
    return '+OK Events Enabled';
  }

  #addAll(): void {
    for (const name of EVENT_NAMES) this.#names.add(name);
  }

  #addSubclass(word: string): void {
    if (this.#subclasses.size < SUBCLASSES_MAX) this.#subclasses.add(word);
  }

  #deleteFilter(header: string, value: string | undefined): string {
    if (header.toLowerCase() === 'all') this.#filters = [];
    else {
      const lower = header.toLowerCase();
      this.#filters = this.#filters.filter(
        (filter) =>
          filter.header.toLowerCase() !== lower || (value !== undefined && filter.value !== value),
      );
    }
    return `+OK filter deleted. [${header}][${value ?? ''}]`;
  }

  /** Filters are alternatives; one that begins with `-` and matches excludes for good. */
  #passesFilters(event: EslEvent): boolean {
    let passes = false;
    for (const { header, value } of this.#filters) {
      const actual = headerOfAnyCase(event, header);
      if (actual === undefined) continue;
      const negative = /^[+ ]*-/.test(value);
      if (passes && !negative) continue;
      if (!filterMatches(value.replace(/^[+\- ]+/, ''), actual)) continue;
      if (negative) return false;
      passes = true;
    }
    return passes;
  }
}

function isFormat(word: string): boolean {
  return word === 'plain' || word === 'json' || word === 'xml';
}

/** `a b c d` → `['a', 'b', 'c d']`: a value may hold blanks, a header name may not. */
function splitHeaderAndValue(text: string): [string, (string | undefined)?, string?] {
  const [first = '', second, ...rest] = text.trim().split(' ');
  return rest.length === 0 ? [first, second] : [first, second, rest.join(' ')];
}

function headerOfAnyCase(event: EslEvent, header: string): string | undefined {
  const exact = event.headers[header];
  if (exact !== undefined) return exact;
  const lower = header.toLowerCase();
  for (const name in event.headers) if (name.toLowerCase() === lower) return event.headers[name];
  return undefined;
}

/** `/regex/` or the whole value in any case. */
function filterMatches(wanted: string, actual: string): boolean {
  const regex = /^\/(.*)\/$/.exec(wanted)?.[1];
  if (regex === undefined) return wanted.toLowerCase() === actual.toLowerCase();
  try {
    return new RegExp(regex).test(actual);
  } catch {
    return false;
  }
}
