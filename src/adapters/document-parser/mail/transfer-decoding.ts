const BASE64_LINE = /^[A-Za-z0-9+/]+={0,2}$/;

/** Bytes of a part as its Content-Transfer-Encoding packed them; as they stand where it names none that is known. */
export function unpackTransfer(bytes: Uint8Array, encoding: string): Uint8Array {
  // Some write a remark behind it.
  const name = encoding
    .trim()
    .toLowerCase()
    .replace(/[\s;(].*$/, '');
  if (name === 'base64') return unpackBase64(bytes);
  if (name === 'quoted-printable') return unpackQuotedPrintable(bytes);
  if (name === 'x-uuencode' || name === 'uuencode' || name === 'x-uue' || name === 'uue') {
    return findUuencoded(Buffer.from(bytes).toString('latin1'))[0]?.bytes ?? bytes;
  }
  return bytes;
}

/**
 * Lines of base64, also where several were put one after another. From the first line on that is none they are plain text:
 * list servers write their footers there; where already the first one is none, the part is not packed at all.
 */
function unpackBase64(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const packed: string[] = [];
  let next = 0;
  for (; next < lines.length; next++) {
    const line = (lines[next] ?? '').replace(/\s+/g, '');
    if (line !== '' && !BASE64_LINE.test(line)) break;
    packed.push(line);
  }
  const unpacked = (packed.join('').match(/[^=]+=*/g) ?? []).map((piece) => Buffer.from(piece, 'base64'));
  const rest = lines.slice(next).join('\n');
  if (rest.trim() === '') return Buffer.concat(unpacked);
  return Buffer.concat([...unpacked, Buffer.from(`${unpacked.length === 0 ? '' : '\n'}${rest}`, 'latin1')]);
}

function unpackQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/[ \t]+(?=\r?\n|$)/g, '')
    .replace(/=\r?\n/g, '')
    .replace(/=$/, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

/** Files inside plain text: `begin 644 NAME`, lines that say their length, `end`. Positions in `text`. */
export function findUuencoded(
  text: string,
): readonly { readonly name: string; readonly start: number; readonly end: number; readonly bytes: Uint8Array }[] {
  const found: { name: string; start: number; end: number; bytes: Uint8Array }[] = [];
  for (const match of text.matchAll(/^begin [0-7]{3,4} (\S.*)\r?\n((?:[ -`]{1,100}\r?\n)*?)end[ \t]*\r?$/gm)) {
    const [whole, name = '', body = ''] = match;
    const lines = body.split(/\r?\n/).map(unpackUuLine);
    found.push({ name: name.trim(), start: match.index, end: match.index + whole.length, bytes: Buffer.concat(lines) });
  }
  return found;
}

function unpackUuLine(line: string): Uint8Array {
  const length = line === '' ? 0 : (line.charCodeAt(0) - 0x20) & 63;
  const out = new Uint8Array(Math.ceil(length / 3) * 3);
  const sextet = (at: number) => ((line.charCodeAt(at) || 0x20) - 0x20) & 63;
  for (let from = 1, to = 0; to < length; from += 4, to += 3) {
    const [a, b, c, d] = [sextet(from), sextet(from + 1), sextet(from + 2), sextet(from + 3)];
    out.set([(a << 2) | (b >> 4), ((b & 15) << 4) | (c >> 2), ((c & 3) << 6) | d], to);
  }
  return out.subarray(0, length);
}
