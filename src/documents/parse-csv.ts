const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;

/** One ASCII character that is no letter, digit, quote or line break. */
export type CsvDelimiter = string;

/** Those that a header can show. */
const DELIMITERS: readonly CsvDelimiter[] = [',', ';', '\t', '|'];
const DELIMITER = /^(?:\t|[ -~])$/;

export function isCsvDelimiter(text: string): boolean {
  return DELIMITER.test(text) && !/["\w]/.test(text);
}

/** One record as it stands in the file, without its line break, or only its size where it is too long to hold. */
export type CsvRecord =
  | { readonly line: number; readonly bytes: Uint8Array }
  | { readonly line: number; readonly tooLargeBytes: number };

/**
 * Cuts the bytes of a CSV file (RFC 4180, in UTF-8) into records, which may span lines inside quotes. It never fails:
 * what is wrong with a record is found by {@link parseCsvRecord}, and the next one is read on. Holds one record, none
 * that is longer than `maxRecordBytes`.
 */
export class CsvRecords {
  readonly #delimiter: number;
  readonly #maxRecordBytes: number;
  #state: 'field-start' | 'plain' | 'quoted' | 'quote-in-quoted' = 'field-start';
  #line: number;
  /** Line on which the current record began. */
  #firstLine: number;
  #begun: Uint8Array[] = [];
  #begunBytes = 0;

  /** @param line of the file, where the bytes begin */
  constructor(delimiter: CsvDelimiter, maxRecordBytes: number, line = 1) {
    this.#line = line;
    this.#firstLine = line;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxRecordBytes = maxRecordBytes;
  }

  /** Records that end in `chunk`; their bytes are only good until the next call. */
  push(chunk: Uint8Array): readonly CsvRecord[] {
    const records: CsvRecord[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#state === 'quoted') {
        at = this.#skipQuoted(chunk, at);
        continue;
      }
      const byte = chunk[at];
      if (byte === LINE_FEED) {
        this.#line += 1;
        records.push(this.#finish(chunk.subarray(start, at)));
        start = at + 1;
      } else if (byte === this.#delimiter) this.#state = 'field-start';
      else if (byte === QUOTE && this.#state !== 'plain') this.#state = 'quoted';
      else this.#state = 'plain';
    }
    this.#keep(chunk.subarray(start));
    return records;
  }

  /** The last record, where the file does not end with a line break. */
  end(): readonly CsvRecord[] {
    return this.#begunBytes === 0 ? [] : [this.#finish(new Uint8Array(0))];
  }

  /** Goes to the next quote; returns the last byte that is dealt with. */
  #skipQuoted(chunk: Uint8Array, from: number): number {
    const quote = chunk.indexOf(QUOTE, from);
    const end = quote === -1 ? chunk.length : quote;
    for (let at = chunk.indexOf(LINE_FEED, from); at !== -1 && at < end; at = chunk.indexOf(LINE_FEED, at + 1)) {
      this.#line += 1;
    }
    if (quote === -1) return chunk.length;
    // The end of the field, or the first half of a doubled quote, which opens it again.
    this.#state = 'quote-in-quoted';
    return quote;
  }

  #keep(rest: Uint8Array): void {
    if (rest.length === 0) return;
    this.#begunBytes += rest.length;
    if (this.#begunBytes > this.#maxRecordBytes) this.#begun = [];
    else this.#begun.push(rest);
  }

  #finish(rest: Uint8Array): CsvRecord {
    const size = this.#begunBytes + rest.length;
    const line = this.#firstLine;
    const bytes = this.#begun.length === 0 ? rest : Buffer.concat([...this.#begun, rest]);
    this.#begun = [];
    this.#begunBytes = 0;
    this.#state = 'field-start';
    this.#firstLine = this.#line;
    if (size > this.#maxRecordBytes) return { line, tooLargeBytes: size };
    return { line, bytes: bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes };
  }
}

/**
 * The fields of one record. A quote inside a field that does not begin with one is an ordinary character.
 *
 * @returns `fault`: what is wrong, as a sentence
 */
export function parseCsvRecord(
  text: string,
  delimiter: CsvDelimiter,
): { readonly fields: readonly string[] } | { readonly fault: string } {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    if (text[at] === '"') {
      const quoted = readQuoted(text, at + 1);
      if (quoted === undefined) return { fault: 'A quote (") is opened and never closed' };
      fields.push(quoted.value);
      at = quoted.end;
      if (at < text.length && text[at] !== delimiter) {
        return { fault: `Field ${fields.length} continues after its closing quote ("): double the quotes inside it` };
      }
    } else {
      const end = text.indexOf(delimiter, at);
      fields.push(text.slice(at, end === -1 ? text.length : end));
      at = end === -1 ? text.length : end;
    }
    if (at >= text.length) return { fields };
  }
}

/**
 * The fields of a line whose quotes are ordinary characters, but for those around a whole field.
 */
export function parsePlainRecord(text: string, delimiter: CsvDelimiter): readonly string[] {
  return text.split(delimiter).map((field) => {
    const quoted = /^"((?:[^"]|"")*)"$/.exec(field)?.[1];
    return quoted === undefined ? field : quoted.replaceAll('""', '"');
  });
}

/** The value from after the opening quote; `end` is the position after the closing one. */
function readQuoted(text: string, from: number): { readonly value: string; readonly end: number } | undefined {
  const parts: string[] = [];
  for (let start = from; ; ) {
    const quote = text.indexOf('"', start);
    if (quote === -1) return undefined;
    parts.push(text.slice(start, quote));
    if (text[quote + 1] !== '"') return { value: parts.join('"'), end: quote + 1 };
    start = quote + 2;
  }
}

/** The delimiter that is most frequent in the header, outside quotes; a comma where none does. */
export function detectCsvDelimiter(header: string): CsvDelimiter {
  const bare = header.replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}
