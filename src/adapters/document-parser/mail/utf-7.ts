/** Text of UTF-7 (RFC 2152): `+`, UTF-16 in base64, `-`; the rest as it is. What is not so stays as it stands. */
export function decodeUtf7(text: string): string {
  return text.replace(/\+([A-Za-z0-9+/]*)-?/g, (whole, packed: string) => {
    if (packed === '') return whole.endsWith('-') ? '+' : whole;
    const bytes = Buffer.from(packed, 'base64');
    const units: string[] = [];
    for (let at = 0; at + 1 < bytes.length; at += 2) units.push(String.fromCharCode(bytes.readUInt16BE(at)));
    return units.join('').toWellFormed();
  });
}
