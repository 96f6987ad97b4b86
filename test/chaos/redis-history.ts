import { readFileSync } from 'node:fs';
import { aofFiles, fieldsOf, readCommands, readHold } from './append-only-file.ts';

export interface HistoryQuestions {
  /** Part of every key before the kind, e.g. `{nightmill}:`. */
  readonly prefix: string;
  /** Scope name by key. */
  readonly scopes: ReadonlyMap<string, string>;
  readonly limitsKey: string;
  /** Never in Redis at all. */
  readonly forbidden: readonly string[];
  /** In paid replies only. */
  readonly repliesOnly: readonly string[];
  /** What the server has forgotten of admitted calls, in nano-dollars: so much may be beyond a limit when it is posted again. */
  readonly forgotten: number;
  /** When the scenario began and ended, milliseconds since the epoch. */
  readonly time: { readonly from: number; readonly until: number };
}

/** What a clock may be off that is right: it was measured over a slow connection. */
const CLOCK_GRAIN_MS = 5_000;

export interface History {
  readonly transactions: number;
  /** Calls that were admitted. */
  readonly admitted: number;
  /** Replies that were stored. */
  readonly stored: number;
  readonly overshoot: number;
  readonly problems: readonly string[];
}

/**
 * Replays the append-only file, which holds every write of the server in order: the invariants are checked after each
 * transaction, so nothing can hide between two samples.
 */
export function checkHistory(folder: string, questions: HistoryQuestions): History {
  const replay = new Replay(questions);
  for (const file of aofFiles(folder)) {
    let transaction = false;
    for (const command of readCommands(readFileSync(file))) {
      const name = String(command[0]).toUpperCase();
      if (name === 'MULTI') transaction = true;
      else if (name === 'EXEC') transaction = false;
      else replay.apply(name, command);
      if (!transaction) replay.check();
    }
  }
  return replay.history();
}

class Replay {
  readonly #questions: HistoryQuestions;
  readonly #scopes = new Map<string, Map<string, number>>();
  readonly #limits = new Map<string, number>();
  readonly #stored = new Set<string>();
  readonly #problems: string[] = [];
  readonly #changed = new Set<string>();
  #transactions = 0;
  /** Replies that were stored before the server lost its memory. */
  #lost = 0;
  #hasLostAll = false;
  #admitted = 0;
  #overshoot = 0;

  constructor(questions: HistoryQuestions) {
    this.#questions = questions;
  }

  apply(name: string, command: readonly Buffer[]): void {
    const { prefix, scopes, limitsKey } = this.#questions;
    if (name === 'FLUSHALL') this.#loseAll();
    const key = String(command[1]);
    const isJournal = key.startsWith(`${prefix}journal:`);
    this.#checkText(key, isJournal, command);
    if (scopes.has(key)) this.#applyToScope(name, key, command);
    else if (key === limitsKey) this.#applyToLimits(name, command);
    else if (isJournal && name === 'HSET') this.#applyReplies(key, command);
    else if (key.startsWith(`${prefix}holds:`) && name === 'HSET') {
      for (const [, record] of fieldsOf(command)) this.#applyAdmission(record);
    }
  }

  /** The server has lost its memory: what was stored and in no row yet may be bought again. */
  #loseAll(): void {
    this.#scopes.clear();
    this.#limits.clear();
    this.#hasLostAll = true;
    this.#lost += this.#stored.size;
    this.#stored.clear();
  }

  #applyReplies(key: string, command: readonly Buffer[]): void {
    for (const [callKey] of fieldsOf(command)) {
      const reply = `${key} ${callKey}`;
      if (this.#stored.has(reply)) this.#problems.push(`a stored reply was bought and stored again: ${reply}`);
      this.#stored.add(reply);
    }
  }

  #applyAdmission(record: string): void {
    this.#admitted += 1;
    const { batchId, slice, callKey, at } = readHold(record);
    const { from, until } = this.#questions.time;
    if (at !== undefined && (at < from - CLOCK_GRAIN_MS || at > until + CLOCK_GRAIN_MS))
      this.#problems.push(`a call was booked at ${new Date(at).toISOString()}, which was not its time: ${record}`);
    const reply = `${this.#questions.prefix}journal:${batchId}:${slice} ${callKey}`;
    if (callKey === undefined) this.#problems.push(`an admitted call does not say which reply it buys: ${record}`);
    if (this.#stored.has(reply)) this.#problems.push(`a call was admitted for a reply that was stored: ${reply}`);
  }

  #applyToScope(name: string, key: string, command: readonly Buffer[]): void {
    const totals = this.#scopes.get(key) ?? new Map<string, number>();
    this.#scopes.set(key, totals);
    this.#changed.add(key);
    if (name === 'HINCRBY') {
      const field = String(command[2]);
      totals.set(field, (totals.get(field) ?? 0) + Number(String(command[3])));
    } else if ((name === 'HSET' || name === 'HSETNX') && this.#hasLostAll) {
      // `recover` gives back what the batch had spent, and notes what it has booked again.
      for (const [field, value] of fieldsOf(command)) totals.set(field, Number(value));
    } else {
      this.#problems.push(`${key} was changed by ${name}, which no ledger script does`);
    }
  }

  #applyToLimits(name: string, command: readonly Buffer[]): void {
    const field = String(command[2]);
    if (name === 'HSET') this.#limits.set(field, Number(String(command[3])));
    else if (name === 'HDEL') this.#limits.delete(field);
  }

  #checkText(key: string, isJournal: boolean, command: readonly Buffer[]): void {
    const { forbidden, repliesOnly } = this.#questions;
    const hidden = isJournal ? forbidden : [...forbidden, ...repliesOnly];
    for (const part of command) {
      const found = hidden.find((word) => part.includes(word));
      if (found !== undefined) this.#problems.push(`document text (${found}) was written to ${key}`);
    }
  }

  check(): void {
    this.#transactions += 1;
    for (const key of this.#changed) this.#checkScope(key);
    this.#changed.clear();
  }

  #checkScope(key: string): void {
    const totals = this.#scopes.get(key) ?? new Map<string, number>();
    const name = this.#questions.scopes.get(key) ?? '';
    const limit = this.#limits.get(`set:${name}`) ?? this.#limits.get(`config:${name}`);
    const spent = ['settled', 'uncertain', 'held'].reduce((sum, field) => sum + (totals.get(field) ?? 0), 0);
    if (limit !== undefined && spent - limit > this.#overshoot) {
      this.#overshoot = spent - limit;
      if (this.#overshoot > this.#questions.forgotten)
        this.#problems.push(`${name} went to ${spent} nano-dollars, over its limit ${limit}`);
    }
    for (const [field, value] of totals) {
      if (value < 0) this.#problems.push(`${name} went below zero: ${field} ${value}`);
    }
  }

  history(): History {
    return {
      transactions: this.#transactions,
      admitted: this.#admitted,
      stored: this.#lost + this.#stored.size,
      overshoot: this.#overshoot,
      problems: this.#problems.slice(0, 20),
    };
  }
}
