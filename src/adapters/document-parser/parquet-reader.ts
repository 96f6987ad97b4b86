import { type AsyncBuffer, type Compressors, type FileMetaData, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { RandomAccess } from '../../documents/document-parser.ts';

/** Most that the read columns of one row group may take, unpacked: a group is read as a whole. */
const MAX_GROUP_BYTES = 256 * 1024 * 1024;
const MAX_GROUP_ROWS = 10_000_000;
/** A footer of more describes hundreds of thousands of column chunks. */
const MAX_FOOTER_BYTES = 64 * 1024 * 1024;
/** Characters of text after which rows are handed over, and most rows at once. */
const PIECE_UNITS = 4 * 1024 * 1024;
const PIECE_ROWS = 2_000;
const TRAILER_BYTES = 8;
const MAGIC = 'PAR1';

/** A Parquet file, one row group in memory at a time. Errors say what is wrong as the end of "Cannot read FILE: ". */
export class ParquetReader {
  readonly columns: readonly string[];
  readonly groups: number;
  readonly #buffer: AsyncBuffer;
  readonly #metadata: FileMetaData;
  #loaded:
    | { readonly group: number; readonly columns: string; readonly rows: readonly (readonly unknown[])[] }
    | undefined;

  private constructor(buffer: AsyncBuffer, metadata: FileMetaData) {
    this.#buffer = buffer;
    this.#metadata = metadata;
    this.groups = metadata.row_groups.length;
    this.columns = topLevelNames(metadata);
  }

  static async open({ byteLength, read }: RandomAccess): Promise<ParquetReader> {
    const buffer: AsyncBuffer = {
      byteLength,
      slice: async (start, end = byteLength) => {
        if (!(start >= 0 && start <= end && end <= byteLength))
          throw new Error('a part of it would lie outside the file');
        return start === end ? new ArrayBuffer(0) : toArrayBuffer(await read(start, end));
      },
    };
    if (byteLength < TRAILER_BYTES + MAGIC.length)
      throw new Error(`it has ${byteLength} bytes, too few for a Parquet file`);
    const trailer = Buffer.from(await buffer.slice(byteLength - TRAILER_BYTES, byteLength));
    if (trailer.toString('latin1', 4) !== MAGIC) {
      throw new Error('it does not end with PAR1, so it is no Parquet file or was cut off');
    }
    if (trailer.readUInt32LE(0) > MAX_FOOTER_BYTES) throw new Error(`its footer has ${trailer.readUInt32LE(0)} bytes`);
    return new ParquetReader(buffer, await parquetMetadataAsync(buffer));
  }

  /** Rows of a row group from `from` on; `next` is absent at its end. */
  async rows(
    group: number,
    from: number,
    columns: readonly number[],
  ): Promise<{ readonly rows: readonly (readonly unknown[])[]; readonly next?: number }> {
    const all = await this.#load(group, columns);
    let end = from;
    for (let units = 0; end < all.length && end - from < PIECE_ROWS && units < PIECE_UNITS; end++) {
      for (const value of all[end] ?? []) units += typeof value === 'string' ? value.length : 8;
    }
    if (end < all.length) return { rows: all.slice(from, end), next: end };
    this.#loaded = undefined;
    return { rows: all.slice(from) };
  }

  async #load(group: number, at: readonly number[]): Promise<readonly (readonly unknown[])[]> {
    const columns = at.map((position) => this.columns[position] ?? '');
    const key = JSON.stringify(columns);
    if (this.#loaded?.group === group && this.#loaded.columns === key) return this.#loaded.rows;
    this.#loaded = undefined;
    const rowStart = this.#metadata.row_groups.slice(0, group).reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
    const count = this.#checkGroup(group, new Set(columns));
    if (count === 0) return [];
    let rows: readonly (readonly unknown[])[] = [];
    await parquetRead({
      file: this.#buffer,
      metadata: this.#metadata,
      columns,
      rowStart,
      rowEnd: rowStart + count,
      rowFormat: 'array',
      compressors: boundedCompressors(),
      onComplete: (read) => {
        rows = read;
      },
    });
    if (rows.length !== count) throw new Error(`row group ${group + 1} has ${rows.length} rows, not ${count}`);
    this.#loaded = { group, columns: key, rows };
    return rows;
  }

  /** How many rows it has, after a look at what it says of its size. */
  #checkGroup(group: number, columns: ReadonlySet<string>): number {
    const { columns: chunks, num_rows } = this.#metadata.row_groups[group] ?? { columns: [], num_rows: 0n };
    const rows = Number(num_rows);
    const read = chunks.filter(({ meta_data }) => columns.has(meta_data?.path_in_schema[0] ?? ''));
    const bytes = read.reduce(
      (sum, { meta_data }) =>
        sum +
        Math.max(Number(meta_data?.total_uncompressed_size ?? 0n), Number(meta_data?.total_compressed_size ?? 0n)),
      0,
    );
    const advice = 'Write it again with smaller row groups (row_group_size in pyarrow, ROW_GROUP_SIZE in DuckDB)';
    if (!(bytes <= MAX_GROUP_BYTES)) {
      throw new Error(
        `row group ${group + 1} has ${bytes} bytes in the columns that are read, and at most ${MAX_GROUP_BYTES} fit in memory. ${advice}`,
      );
    }
    if (!(rows >= 0 && rows <= MAX_GROUP_ROWS)) {
      throw new Error(`row group ${group + 1} has ${rows} rows; at most ${MAX_GROUP_ROWS} are read at once. ${advice}`);
    }
    return rows;
  }
}

function topLevelNames({ schema }: FileMetaData): readonly string[] {
  const names: string[] = [];
  // The tree is written depth first; an element says how many children follow it.
  let open = 0;
  for (const { name, num_children = 0 } of schema.slice(1)) {
    // The types promise a name; a damaged footer keeps no promises.
    if (typeof name !== 'string') throw new Error('its schema has a column without a name');
    if (open === 0) names.push(name);
    else open -= 1;
    open += num_children;
  }
  return names;
}

/** What a page says of its size is not to be believed: unpacking it gets that much memory at once. */
function boundedCompressors(): Compressors {
  let left = MAX_GROUP_BYTES * 2;
  return Object.fromEntries(
    Object.entries(compressors).map(([codec, unpack]) => [
      codec,
      (input: Uint8Array, outputLength: number) => {
        left -= outputLength;
        if (!(outputLength >= 0 && left >= 0)) throw new Error('its pages unpack to more than its footer says');
        return unpack(input, outputLength);
      },
    ]),
  );
}

function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength) return buffer;
  return bytes.slice().buffer as ArrayBuffer;
}
