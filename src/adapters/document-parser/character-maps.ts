import { readFileSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';

let opened: { readonly index: Readonly<Record<string, readonly [number, number]>>; readonly maps: Buffer } | undefined;

/** Gives pdf.js the predefined character maps of Chinese, Japanese and Korean fonts, which PDFs name and do not hold. */
export class CharacterMaps {
  async fetch({ kind, filename }: { readonly kind: string; readonly filename: string }): Promise<Uint8Array> {
    opened ??= open();
    const place = kind === 'cMapUrl' ? opened.index[filename] : undefined;
    if (place === undefined) throw new Error(`there is no ${filename} here`);
    const [start, length] = place;
    return new Uint8Array(opened.maps.subarray(start, start + length));
  }
}

function open() {
  const whole = zstdDecompressSync(readFileSync(new URL('./cmaps.zst', import.meta.url)));
  const head = whole.readUInt32LE(0);
  return {
    index: JSON.parse(whole.toString('utf8', 4, 4 + head)) as Readonly<Record<string, readonly [number, number]>>,
    maps: whole.subarray(4 + head),
  };
}
