const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** What stands beside the list, names and values, without what is inside of those that are objects or lists. */
const MAX_MEMBER_BYTES = 65_536;

/** What is read is no JSON object, or something in it is larger than it may be. */
export class JsonListFault extends Error {
  readonly reason: 'malformed' | 'too_large';

  constructor(reason: JsonListFault['reason']) {
    super(reason);
    this.name = 'JsonListFault';
    this.reason = reason;
  }
}

/**
 * Takes the elements out of one list of a JSON object, `{"NAME": [...], ...}`, as its bytes come: memory holds one chunk
 * and one element. The elements are only cut, so that each is still to be parsed; of values beside the list only the
 * brackets are looked at.
 */
export class JsonListReader {
  /** Whether the list was there. */
  wasSeen = false;
  /** Whether the whole object was read. */
  isOver = false;
  readonly #isName: (member: string) => boolean;
  readonly #member = new Held(MAX_MEMBER_BYTES);
  readonly #item: Held;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #inList = false;
  #hasItems = false;
  #hasMembers = false;
  /** Where bytes go now; undefined: they are inside of a value beside the list. */
  #into: Held | undefined;
  #from = 0;

  /** @param maxItemBytes the largest element that is held */
  constructor(name: string, maxItemBytes: number) {
    this.#isName = (member) => member.replace(/:\s*$/, '').trim() === JSON.stringify(name);
    this.#item = new Held(maxItemBytes);
  }

  /**
   * @yields elements that end in this chunk
   * @throws {JsonListFault}
   */
  *push(chunk: Uint8Array): Generator<Buffer, void, undefined> {
    this.#from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#inString) this.#passString(byte);
      else if (byte === QUOTE && this.#depth > 0) this.#inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte, chunk, at);
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte === COMMA) {
        const item = this.#end(byte, chunk, at);
        if (item !== undefined) yield item;
      } else if (this.#depth === 0 && !SPACES.has(byte)) throw new JsonListFault('malformed');
    }
    this.#into?.add(chunk.subarray(this.#from));
  }

  #passString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  #open(byte: number, chunk: Uint8Array, at: number): void {
    this.#depth += 1;
    if (this.#depth === 1) {
      if (byte !== OPEN_OBJECT || this.isOver) throw new JsonListFault('malformed');
      this.#hold(this.#member, at + 1);
    } else if (this.#depth === 2) {
      this.#member.add(chunk.subarray(this.#from, at));
      this.#inList = byte === OPEN_LIST && this.#isName(this.#member.text());
      this.wasSeen ||= this.#inList;
      this.#hasItems = false;
      this.#hold(this.#inList ? this.#item : undefined, at + 1);
    }
  }

  /** At a comma or a closing bracket. */
  #end(byte: number, chunk: Uint8Array, at: number): Buffer | undefined {
    const depth = this.#depth;
    if (depth === 0) throw new JsonListFault('malformed');
    if (byte !== COMMA) this.#depth -= 1;
    if (depth === 1) this.#endMember(byte, chunk, at);
    if (depth !== 2) return undefined;
    const item = this.#inList ? this.#endItem(byte, chunk, at) : undefined;
    if (byte !== COMMA) {
      this.#inList = false;
      this.#hold(this.#member, at + 1);
      this.#member.add(Buffer.from('null'));
    }
    return item;
  }

  #endMember(byte: number, chunk: Uint8Array, at: number): void {
    if (byte === CLOSE_LIST) throw new JsonListFault('malformed');
    this.#member.add(chunk.subarray(this.#from, at));
    const member = this.#member.take().toString();
    this.isOver = byte === CLOSE_OBJECT;
    this.#hold(this.isOver ? undefined : this.#member, at + 1);
    if (this.isOver && !this.#hasMembers && member.trim() === '') return;
    this.#hasMembers = true;
    if (member.trim() === '' || !isJson(`{${member}}`)) throw new JsonListFault('malformed');
  }

  #endItem(byte: number, chunk: Uint8Array, at: number): Buffer | undefined {
    if (byte === CLOSE_OBJECT) throw new JsonListFault('malformed');
    this.#item.add(chunk.subarray(this.#from, at));
    const item = this.#item.take();
    this.#from = at + 1;
    if (byte === CLOSE_LIST && !this.#hasItems && item.toString().trim() === '') return undefined;
    this.#hasItems = true;
    return item;
  }

  #hold(into: Held | undefined, from: number): void {
    this.#into = into;
    this.#from = from;
  }
}

/** Bytes of several chunks. They are copied: a chunk may be used again by whoever reads it. */
class Held {
  readonly #max: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws {JsonListFault} `too_large` */
  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#max) throw new JsonListFault('too_large');
    if (bytes.length > 0) this.#parts.push(Buffer.from(bytes));
  }

  text(): string {
    return Buffer.concat(this.#parts).toString();
  }

  take(): Buffer {
    const taken = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return taken;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
